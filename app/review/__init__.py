"""The place where a recording is reviewed: its picture, its time line, its findings."""
