"""Does the engine agree with the running kernel? Random hosts in namespaces, random questions.

    python -m tests.kernel.fuzz --lookups 50000 --seed 7

``dice`` has the words, ``worlds`` and ``rules`` make hosts of them, ``flows`` questions; ``hosts``
makes a host real, ``compare`` asks engine and kernel. ``commands`` are typed into such a host, and
``predict`` compares what comes of them with the prediction.

A world is a list of commands, as a person would type them; some are refused, which is part of the
game. wgtui reads what came of it, and every question is answered twice: by the engine and by the
kernel (RTM_GETROUTE). Where they differ, commands are left out one after another for as long as the
difference stays: what remains is the reproduction that is printed.

Rules for editors:
1. Everything random comes from one Random with one seed; a world is made by its number alone.
2. The carrier of a link reaches the routing tables up to a second late (S-B5): it is awaited.
3. A difference counts only if the facts were the same before and after it was seen.
"""
