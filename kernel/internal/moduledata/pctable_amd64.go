package moduledata

// pcQuantum is the unit of code lengths in PC-value tables, in bytes: the minimum length of an instruction.
const pcQuantum = 1
