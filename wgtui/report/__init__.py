"""Voice: the only room with English. A Trace, a Gap or a Finding goes in, words come out."""
