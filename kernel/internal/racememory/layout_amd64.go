package racememory

// The detector has 16 bytes of shadow memory, for recent accesses, and 4 bytes of metadata, for synchronization, for each 8 bytes
// of memory. It computes their addresses from that of the memory. See MappingGo48 in tsan_platform.h of LLVM.
const (
	shadowBase, shadowFactor = 0x200000000000, 2
	metaBase, metaDivisor    = 0x300000000000, 2
)
