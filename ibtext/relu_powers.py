class PowerColumns:
    pass
