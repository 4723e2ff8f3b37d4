package goruntime

import (
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// Code that asks whether a value implements an interface, by an assertion or a
// type switch, has a cache of answers at each such place: after some thousand
// questions about a type the runtime puts the answer there. What a type
// implements changes here, when a cell adds or removes a method. So the
// runtime's functions that make these caches are hooked, and when methods have
// changed all caches are emptied: they fill again.

// assertionCaches is package state, as the runtime's caches are: hooks have nowhere
// else to find it.
var assertionCaches struct {
	// Counts of what the hooked functions did.
	forAssert func(old, typ, tab unsafe.Pointer) unsafe.Pointer
	forSwitch func(old, typ unsafe.Pointer, which int, tab unsafe.Pointer) unsafe.Pointer

	mu     sync.Mutex
	caches []assertionCache
}

// An assertionCache is one that some place may use.
type assertionCache struct {
	at    weak.Pointer[assertionHeader]
	entry uintptr // bytes of an entry, which begins with a type's address
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

// ClearAssertionCaches empties all caches. Another thread may read an entry meanwhile: only
// its type goes, so that the rest of it still belongs to what was read before.
func ClearAssertionCaches() {
	assertionCaches.mu.Lock()
	defer assertionCaches.mu.Unlock()
	kept := assertionCaches.caches[:0]
	for _, c := range assertionCaches.caches {
		h := c.at.Value()
		if h == nil {
			continue // its place has a bigger one
		}
		kept = append(kept, c)
		for i := range h.mask + 1 {
			atomic.StoreUintptr((*uintptr)(unsafe.Add(unsafe.Pointer(&h.entries), i*c.entry)), 0)
		}
	}
	clear(assertionCaches.caches[len(kept):])
	assertionCaches.caches = kept
}
