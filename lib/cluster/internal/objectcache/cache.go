// Package objectcache keeps objects while they are in use, and then the most recently used
// ones up to a limit in bytes.
package objectcache

import (
	"container/list"
	"sync"
)

// A Cache keeps objects by name. Its methods may be called concurrently.
type Cache struct {
	// Limit is how many bytes of unused objects are kept.
	Limit int
	// Dropped is called for an object that is no longer kept. It may be nil.
	Dropped func(name string)

	mu    sync.Mutex
	known map[string]*entry
	idle  list.List // of *entry, the last used first
	size  int       // size of the entries in idle
}

type entry struct {
	name string
	uses int
	idle *list.Element // nil while it is used
	once sync.Once
	data []byte
	size int
	err  error
}

// Use returns the data of an object. If the cache does not have the object, Use calls open,
// which returns the data and the size that counts towards Limit. The size may differ from
// the length of data if data only says where the object is stored. The object is kept at
// least until release is called.
func (c *Cache) Use(name string, open func() (data []byte, size int, err error)) (data []byte, release func(), err error) {
	c.mu.Lock()
	e := c.known[name]
	if e == nil {
		if c.known == nil {
			c.known = make(map[string]*entry)
		}
		e = &entry{name: name}
		c.known[name] = e
	}
	if e.idle != nil {
		c.idle.Remove(e.idle)
		c.size -= e.size
		e.idle = nil
	}
	e.uses++
	c.mu.Unlock()
	e.once.Do(func() { e.data, e.size, e.err = open() })
	release = sync.OnceFunc(func() { c.release(e) })
	if e.err != nil {
		release()
		return nil, func() {}, e.err
	}
	return e.data, release, nil
}

func (c *Cache) release(e *entry) {
	c.mu.Lock()
	var dropped []string
	if e.uses--; e.uses == 0 {
		switch {
		case e.err != nil:
			delete(c.known, e.name) // it is opened again when it is used again
		default:
			e.idle = c.idle.PushFront(e)
			c.size += e.size
		}
	}
	for c.size > c.Limit {
		dropped = append(dropped, c.dropLastLocked())
	}
	c.mu.Unlock()
	c.tell(dropped)
}

// Clear drops the unused objects.
func (c *Cache) Clear() {
	c.mu.Lock()
	var dropped []string
	for c.idle.Len() > 0 {
		dropped = append(dropped, c.dropLastLocked())
	}
	c.mu.Unlock()
	c.tell(dropped)
}

func (c *Cache) dropLastLocked() string {
	e := c.idle.Remove(c.idle.Back()).(*entry)
	c.size -= e.size
	delete(c.known, e.name)
	return e.name
}

func (c *Cache) tell(names []string) {
	if c.Dropped == nil {
		return
	}
	for _, name := range names {
		c.Dropped(name)
	}
}
