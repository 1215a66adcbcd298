"""What failures do, and how a run that died or was undone is put right."""
