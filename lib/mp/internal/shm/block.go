package shm

// A Block is a piece of memory. The memory lives as long as a pointer into it exists, even
// after the Block itself is unreachable.
type Block struct {
	Mem []byte
	seg *Segment // nil for goroutines
}

// MaxBlock is the largest size of a Block in bytes.
const MaxBlock = 1 << 46

// NewBlock makes a zeroed block of size bytes, shared or for goroutines.
func NewBlock(shared bool, size int) (*Block, error) {
	if !shared {
		if err := HeapAllows(size); err != nil {
			return nil, err
		}
		return &Block{Mem: words(size)}, nil
	}
	s, err := NewSegment(size, true)
	if err != nil {
		return nil, err
	}
	return &Block{Mem: s.mem, seg: s}, nil
}

// OpenBlock opens the block that another process's Handle names.
func OpenBlock(handle []byte) (*Block, error) {
	s, err := openSegment(handle, true, 0)
	if err != nil {
		return nil, err
	}
	return &Block{Mem: s.mem, seg: s}, nil
}

// Handle returns a handle of the block for another process. That process must call OpenBlock
// while this process has the block.
func (b *Block) Handle() ([]byte, error) {
	if b.seg == nil {
		return nil, ErrLocal
	}
	return b.seg.handle()
}

// Close makes it impossible to send the block to more processes. The memory stays usable.
func (b *Block) Close() {
	if b.seg != nil {
		b.seg.Close()
	}
}
