"""What a pass costs, in calls and in time of the machine."""
