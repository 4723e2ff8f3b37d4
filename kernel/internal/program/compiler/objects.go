package compiler

import (
	"os"
	"sync/atomic"
)

// maxInMemory bounds the sizes of the objects in Config.MemoryDir together, in bytes. They stay as long as the
// session, since child processes load them.
const maxInMemory = 16 << 20

// An objectFolders chooses the folders of the objects that waiting compilers write.
type objectFolders struct {
	cfg      *Config
	inMemory atomic.Int64 // bytes of the objects in MemoryDir
}

// folder returns the folder for the next object.
func (o *objectFolders) folder() string {
	if o.cfg.MemoryDir == "" || o.inMemory.Load() >= maxInMemory {
		return o.cfg.Dir
	}
	return o.cfg.MemoryDir
}

// add notes a complete object.
func (o *objectFolders) add(object string) {
	if o.cfg.MemoryDir == "" {
		return
	}
	if st, err := os.Stat(object); err == nil {
		o.inMemory.Add(st.Size())
	}
}
