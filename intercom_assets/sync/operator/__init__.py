"""What an operator asks for by hand: a preview, a run undone, a person erased, ids relinked."""
