package racememory

// The detector keeps its knowledge about an address at an address that it computes: 16 bytes of shadow for 8 bytes of memory,
// and 4 bytes of metadata, which has the synchronization. See MappingGo48 in tsan_platform.h of LLVM.
const (
	shadowBase, shadowFactor = 0x200000000000, 2
	metaBase, metaDivisor    = 0x300000000000, 2
)
