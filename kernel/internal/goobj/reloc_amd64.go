package goobj

// Relocation types that occur on amd64, numbered as in
// cmd/internal/objabi/reloctype.go.
const (
	RelAddr      RelocType = 1  // absolute address
	RelAddrOff   RelocType = 5  // offset from the start of the target's section
	RelSize      RelocType = 6  // size of the target in bytes
	RelCall      RelocType = 7  // PC-relative call
	RelConst     RelocType = 13 // value of the addend
	RelPCRel     RelocType = 14 // PC-relative address
	RelTLSLE     RelocType = 15 // offset from the thread pointer
	RelGotPCRel  RelocType = 29
	RelMethodOff RelocType = 26 // like RelAddrOff; the target is a method
	RelKeep      RelocType = 27
)
