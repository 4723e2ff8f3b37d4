package goobj

import (
	"encoding/binary"
	"fmt"
)

// FuncInfo is the compiler's information about a function, besides its code.
type FuncInfo struct {
	Args, Locals uint32
	FuncID       uint8
	FuncFlag     uint8
	StartLine    int32
	Files        []uint32 // indices for Object.File
	InlTree      []InlNode
}

// FuncIDWrapper is the FuncID of functions that the compiler generated; it equals
// internal/abi.FuncIDWrapper.
const FuncIDWrapper = 23

// An InlNode is one inlined call. Parent is the index of the inlined call that contains it, or -1.
type InlNode struct {
	Parent   int32
	File     uint32
	Line     int32
	Func     Ref
	ParentPC int32
}

const inlNodeSize = 24

// ReadFuncInfo decodes the content of an AuxFuncInfo symbol.
func ReadFuncInfo(b []byte) (FuncInfo, error) {
	le := binary.LittleEndian
	bad := fmt.Errorf("%w: the information about a function is truncated", ErrFormat)
	if len(b) < 24 {
		return FuncInfo{}, bad
	}
	fi := FuncInfo{
		Args:      le.Uint32(b),
		Locals:    le.Uint32(b[4:]),
		FuncID:    b[8],
		FuncFlag:  b[9],
		StartLine: int32(le.Uint32(b[12:])),
	}
	n := uint64(le.Uint32(b[16:]))
	b = b[20:]
	if uint64(len(b)) < n*4+4 {
		return FuncInfo{}, bad
	}
	for range n {
		fi.Files = append(fi.Files, le.Uint32(b))
		b = b[4:]
	}
	n = uint64(le.Uint32(b))
	b = b[4:]
	if uint64(len(b)) < n*inlNodeSize {
		return FuncInfo{}, bad
	}
	for range n {
		fi.InlTree = append(fi.InlTree, InlNode{
			Parent:   int32(le.Uint32(b)),
			File:     le.Uint32(b[4:]),
			Line:     int32(le.Uint32(b[8:])),
			Func:     Ref{le.Uint32(b[12:]), le.Uint32(b[16:])},
			ParentPC: int32(le.Uint32(b[20:])),
		})
		b = b[inlNodeSize:]
	}
	return fi, nil
}
