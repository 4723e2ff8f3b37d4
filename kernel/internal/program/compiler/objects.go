package compiler

import (
	"os"
	"sync/atomic"
)

// maxInMemory is the total size of the objects in Config.MemoryDir, in bytes, from which on new objects are in Config.Dir.
// Objects stay until the session ends, since child processes load them.
const maxInMemory = 16 << 20

// An objectFolders chooses the folder of each object that a waiting compiler writes.
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

// add adds the size of a complete object to inMemory.
func (o *objectFolders) add(object string) {
	if o.cfg.MemoryDir == "" {
		return
	}
	if st, err := os.Stat(object); err == nil {
		o.inMemory.Add(st.Size())
	}
}
