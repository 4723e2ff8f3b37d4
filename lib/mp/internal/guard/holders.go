// Package guard checks that goroutines hold the lock that guards a shared object when they
// use the object.
package guard

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/internal/tracing"
)

// Variable is the name of the environment variable that turns the checks on. It does not if
// its value is empty or 0.
const Variable = "PERIJOVE_MPCHECK"

var on atomic.Bool

func init() {
	v := os.Getenv(Variable)
	Set(v != "" && v != "0")
}

// On reports whether accesses are checked.
func On() bool { return on.Load() }

// Set turns the checks on or off.
func Set(check bool) {
	on.Store(check)
	tracing.NoteLocks(check)
}

// A holding is a lock that a goroutine has taken and not yet released.
type holding struct {
	goroutine uintptr
	write     bool
}

// holders has the goroutines of this process that hold a lock, by the TraceKey of its
// object. A lock that was taken before the checks were turned on is not there.
var holders struct {
	sync.Mutex
	m map[uint64][]holding
}

// Locked notes that the calling goroutine has taken the lock of an object, to write or
// to read.
func Locked(o *shm.Object, write bool) {
	holders.Lock()
	defer holders.Unlock()
	if holders.m == nil {
		holders.m = map[uint64][]holding{}
	}
	key := o.TraceKey(0)
	holders.m[key] = append(holders.m[key], holding{goroutine.Current(), write})
}

// Unlocking notes that a lock is about to be released, usually by the goroutine that took it.
func Unlocking(o *shm.Object, write bool) {
	holders.Lock()
	defer holders.Unlock()
	key := o.TraceKey(0)
	list := holders.m[key]
	if len(list) == 0 {
		return
	}
	i := max(0, slices.Index(list, holding{goroutine.Current(), write}))
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(holders.m, key)
	} else {
		holders.m[key] = list
	}
}

// holds reports whether the calling goroutine holds the lock of an object. isKnown is
// false if no goroutine is noted for it.
func holds(o *shm.Object, write bool) (is, isKnown bool) {
	me := goroutine.Current()
	holders.Lock()
	defer holders.Unlock()
	list := holders.m[o.TraceKey(0)]
	return slices.ContainsFunc(list, func(h holding) bool { return h.goroutine == me && (h.write || !write) }), len(list) > 0
}
