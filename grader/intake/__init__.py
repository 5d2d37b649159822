"""What a submission must pass before any notebook library sees it.

``folder`` takes the bytes from disk, ``document`` turns them into plain cells, ``assemble`` puts
these between the course's own cells. Each says in words what it refused, ignored or mended.
"""
