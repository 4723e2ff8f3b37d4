package guard

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/shm"
)

// A Lock is a lock that can guard objects.
type Lock struct {
	Kind  Kind
	O     *shm.Object
	Local *shm.LocalMutex // the mutex of a Mutex for goroutines; else nil
}

// A Kind is a kind of lock.
type Kind byte

const (
	Mutex Kind = iota
	RWMutex
	ReentrantMutex
	kinds
)

func (k Kind) String() string { return [...]string{"Mutex", "RWMutex", "ReentrantMutex"}[k] }

// isHeldHere reports whether this process holds the lock.
func (l Lock) isHeldHere(write bool) bool {
	switch {
	case l.Local != nil:
		return l.Local.IsHeld()
	case l.Kind == RWMutex:
		return shm.RWMutex{O: l.O}.IsHeldHere(write)
	}
	return shm.Mutex{O: l.O}.IsHeldHere()
}

// A Guard names the lock that guards an object. A nil Guard guards nothing.
type Guard struct {
	lock  Lock
	place string // of the call of GuardedBy
	watch sync.Once
}

// New returns a Guard with the lock l. Reports name the call of GuardedBy, which New takes from
// the stack: the innermost call outside package mp.
func New(l Lock) *Guard {
	g := &Guard{lock: l, place: "an unknown place"}
	if calls := userCalls(); len(calls) > 0 {
		g.place = place(calls[0])
	}
	return g
}

// Check reports an access if accesses are checked and the calling goroutine does not hold
// the lock. what describes the access; if it contains %d, the report has i in its place.
func (g *Guard) Check(what string, i int, write bool) {
	if g != nil && on.Load() {
		g.check(what, i, write)
	}
}

//go:noinline
func (g *Guard) check(what string, i int, write bool) {
	g.watch.Do(func() {
		if g.lock.Local != nil { // from now on, each Lock is noted
			atomic.StoreUint32(&g.lock.Local.Slow, 1)
		}
	})
	is, isKnown := holds(g.lock.O, write)
	isHeldHere := isKnown || g.lock.isHeldHere(write)
	if is || !isKnown && isHeldHere {
		return
	}
	calls := userCalls()
	if len(calls) == 0 || !isFirst(place(calls[0])) {
		return
	}
	state := "which this process does not hold"
	if isHeldHere {
		state = "which another goroutine holds"
	}
	if ok, _ := holds(g.lock.O, false); ok {
		state = "which this goroutine holds only to read"
	}
	if strings.Contains(what, "%d") {
		what = fmt.Sprintf(what, i)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "mp: %s without its lock (the %v given to GuardedBy at %s), %s (process %d)\n", what, g.lock.Kind, g.place, state, os.Getpid())
	for _, f := range calls {
		fmt.Fprintf(&b, "\t%s\n\t\t%s\n", f.Function, place(f))
	}
	report(b.String())
}

// report passes a report to the function of SetReport, or writes it to standard error.
func report(text string) {
	if f := hook.Load(); f != nil {
		(*f)(text)
		return
	}
	_, _ = os.Stderr.WriteString(text)
}

var hook atomic.Pointer[func(string)]

// SetReport makes f receive the reports, for tests; nil restores standard error. Places
// that were reported before are reported again.
func SetReport(f func(string)) {
	reported.Clear()
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}

// reported has the places whose accesses were reported.
var reported sync.Map

func isFirst(place string) bool {
	_, is := reported.LoadOrStore(place, true)
	return !is
}

const (
	library = "github.com/perijove/perijove/lib/mp."
	parts   = "github.com/perijove/perijove/lib/mp/internal/"
	maxDeep = 64
)

// userCalls returns calls on the stack of this goroutine: from the innermost call outside
// package mp to the last call before a function of package mp or of the runtime.
func userCalls() (list []runtime.Frame) {
	var pcs [maxDeep]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		f, more := frames.Next()
		isLibrary := strings.HasPrefix(f.Function, library) || strings.HasPrefix(f.Function, parts)
		switch {
		case f.Function == "runtime.main", f.Function == "runtime.goexit", isLibrary && len(list) > 0:
			return list
		case !isLibrary && f.Function != "":
			list = append(list, f)
		}
		if !more {
			return list
		}
	}
}

func place(f runtime.Frame) string { return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line) }

// Append adds the guard to the handle of an object that is sent to another process, if
// accesses are checked.
func (g *Guard) Append(handle []byte) ([]byte, error) {
	if g == nil || !on.Load() {
		return handle, nil
	}
	lock, err := g.lock.O.Handle()
	if err != nil {
		return nil, failure.Wrap(fmt.Sprintf("cannot send the %v that guards the object", g.lock.Kind), err)
	}
	handle = append(handle, byte(g.lock.Kind))
	handle = binary.AppendUvarint(handle, uint64(len(lock)))
	return append(append(handle, lock...), g.place...), nil
}

// Open returns the Guard whose encoding Append has added, and turns the checks on. If b is
// empty, the Guard is nil.
func Open(b []byte) (*Guard, error) {
	if len(b) == 0 {
		return nil, nil
	}
	size, n := binary.Uvarint(b[1:])
	if Kind(b[0]) >= kinds || n <= 0 || size > uint64(len(b)-1-n) {
		return nil, failure.ErrMalformed
	}
	rest := b[1+n:]
	o, err := shm.Open(rest[:size], 0)
	if err != nil {
		return nil, failure.Wrap("cannot open the lock that guards the object", err)
	}
	Set(true)
	return &Guard{lock: Lock{Kind: Kind(b[0]), O: o}, place: string(rest[size:])}, nil
}
