score=1.0
