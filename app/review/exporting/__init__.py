"""`Export…` in the window: what is wanted, the process that makes it, what is looked at before it leaves."""
