package goruntime

import (
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// Each type assertion and type switch in compiled code has a cache which says whether a type
// implements an interface. After some thousand checks of a type, the runtime adds the type to the cache. In a notebook,
// the answer can change: a cell adds or removes a method. So this package hooks the runtime's functions that make these
// caches, and clears all caches when methods have changed. The runtime then fills them again.

// assertionCaches is a package variable, since the hooks, which the runtime calls, cannot get
// it as an argument.
var assertionCaches struct {
	// The runtime's original functions.
	forAssert func(old, typ, tab unsafe.Pointer) unsafe.Pointer
	forSwitch func(old, typ unsafe.Pointer, which int, tab unsafe.Pointer) unsafe.Pointer

	mu     sync.Mutex
	caches []assertionCache
}

// An assertionCache is the cache of a type assertion or type switch in compiled code.
type assertionCache struct {
	at    weak.Pointer[assertionHeader]
	entry uintptr // size of an entry in bytes; an entry begins with the address of a type
}

// assertionHeader mirrors the beginning of internal/abi's TypeAssertCache and
// InterfaceSwitchCache.
type assertionHeader struct {
	mask    uintptr
	entries [1]uintptr
}

const (
	assertEntry = 16
	switchEntry = 24
)

// HookAssertions replaces the functions of the runtime that make caches of type assertions and type switches, so that
// ClearAssertionCaches can find the caches.
func HookAssertions(h *Runtime) (err error) {
	if assertionCaches.forAssert, err = Original[func(old, typ, tab unsafe.Pointer) unsafe.Pointer](h, "runtime.buildTypeAssertCache"); err != nil {
		return err
	}
	if assertionCaches.forSwitch, err = Original[func(old, typ unsafe.Pointer, which int, tab unsafe.Pointer) unsafe.Pointer](h, "runtime.buildInterfaceSwitchCache"); err != nil {
		return err
	}
	if _, err = Hook(h, "runtime.buildTypeAssertCache", buildAssertCache); err != nil {
		return err
	}
	_, err = Hook(h, "runtime.buildInterfaceSwitchCache", buildSwitchCache)
	return err
}

// buildAssertCache replaces runtime.buildTypeAssertCache.
func buildAssertCache(old, typ, tab unsafe.Pointer) unsafe.Pointer {
	assertionCaches.mu.Lock()
	defer assertionCaches.mu.Unlock()
	return recordCache(assertionCaches.forAssert(old, typ, tab), assertEntry)
}

// buildSwitchCache replaces runtime.buildInterfaceSwitchCache.
func buildSwitchCache(old, typ unsafe.Pointer, which int, tab unsafe.Pointer) unsafe.Pointer {
	assertionCaches.mu.Lock()
	defer assertionCaches.mu.Unlock()
	return recordCache(assertionCaches.forSwitch(old, typ, which, tab), switchEntry)
}

func recordCache(c unsafe.Pointer, entry uintptr) unsafe.Pointer {
	assertionCaches.caches = append(assertionCaches.caches, assertionCache{weak.Make((*assertionHeader)(c)), entry})
	return c
}

// ClearAssertionCaches clears all caches of type assertions and type switches. It clears only the type in each entry.
// A thread that has just read the type can still read the rest of that entry, which has not changed.
func ClearAssertionCaches() {
	assertionCaches.mu.Lock()
	defer assertionCaches.mu.Unlock()
	kept := assertionCaches.caches[:0]
	for _, c := range assertionCaches.caches {
		h := c.at.Value()
		if h == nil {
			continue // a bigger cache has replaced it
		}
		kept = append(kept, c)
		for i := range h.mask + 1 {
			atomic.StoreUintptr((*uintptr)(unsafe.Add(unsafe.Pointer(&h.entries), i*c.entry)), 0)
		}
	}
	clear(assertionCaches.caches[len(kept):])
	assertionCaches.caches = kept
}
