layers=32
