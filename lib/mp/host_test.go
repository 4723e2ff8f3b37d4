package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A fakeHost imitates the worker process of a notebook: it identifies a function by its name
// and the load that defined it, sends the loads to a child first, and starts children with
// its own command. It runs in this test's binary.
type fakeHost struct {
	mphost.Host // the Host of an ordinary program, for methods that fakeHost does not override

	mu       sync.Mutex
	loads    int      // number of loads that this process has
	reads    []string // variables that are zero in a child
	initial  []string // variables that have their initial values in a child
	notices  []string
	messages []string
	arrived  chan string
	ctx      context.Context
	starts   int
	ahead    bool // children have the loads when they are started
}

func (h *fakeHost) Context() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ctx
}

const (
	fakeChild = "MP_TEST_FAKE_HOST"
	fakeLoads = "MP_TEST_FAKE_LOADS" // number of loads that a child begins with
)

func (h *fakeHost) FuncID(pc uintptr) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, err := h.Host.FuncID(pc)
	return fmt.Sprintf("load %d/%s", h.loads, id), err
}

func (h *fakeHost) FuncPC(id string) (uintptr, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	load, rest, _ := strings.Cut(id, "/")
	var n int
	if _, err := fmt.Sscanf(load, "load %d", &n); err != nil || n > h.loads {
		return 0, fmt.Errorf("%q is not in the %d loads of this child", id, h.loads)
	}
	return h.Host.FuncPC(rest)
}

func (h *fakeHost) Captures(val, pc uintptr) bool { return h.Host.Captures(val, pc) }
func (h *fakeHost) Reads(uintptr) (_, _ []string) { return h.reads, h.initial }

func (h *fakeHost) Notice(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notices = append(h.notices, text)
}

func (h *fakeHost) Command() (*exec.Cmd, error) {
	cmd, err := h.Host.Command()
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	cmd.ExtraFiles = []*os.File{null}
	cmd.Env = append(os.Environ(), fakeChild+"=1")
	return cmd, err
}

func (h *fakeHost) Start(cmd *exec.Cmd) (have int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts++
	if h.ahead {
		have = h.loads
	}
	cmd.Env = append(cmd.Env, fmt.Sprint(fakeLoads, "=", have))
	return have, cmd.Start()
}

func (h *fakeHost) Update(have int) ([]byte, int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if have == h.loads {
		return nil, have, nil
	}
	return fmt.Appendf(nil, "%d to %d", have, h.loads), h.loads, nil
}

func (h *fakeHost) Apply(msg []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var from, to int
	if _, err := fmt.Sscanf(string(msg), "%d to %d", &from, &to); err != nil || from != h.loads {
		return fmt.Errorf("update %q does not follow on %d", msg, h.loads)
	}
	h.loads = to
	return nil
}

func (h *fakeHost) Message(from *mphost.Peer, msg []byte) {
	h.mu.Lock()
	h.messages = append(h.messages, string(msg))
	h.mu.Unlock()
	if h.arrived != nil { // in the child
		h.arrived <- string(msg)
		return
	}
	if err := from.Send(append([]byte("re: "), msg...)); err != nil {
		h.Notice(err.Error())
	}
}

// childHost is the Host of this process if it is a child of a fake notebook.
var childHost *fakeHost

func init() {
	if os.Getenv(fakeChild) != "" {
		childHost = &fakeHost{Host: mphost.Program(), arrived: make(chan string, 1)}
		childHost.loads, _ = strconv.Atoi(os.Getenv(fakeLoads)) // 0 if it is not set
	}
}

// asFakeHost makes this process a fake notebook until the test ends.
func asFakeHost(t *testing.T, h *fakeHost) *fakeHost {
	h.Host = mphost.Program()
	mphost.Set(h)
	t.Cleanup(func() { mphost.Set(h.Host) })
	return h
}

// TestHostStartsAhead checks that a child that a Host has started earlier gets the
// updates that it lacks.
func TestHostStartsAhead(t *testing.T) {
	h := asFakeHost(t, &fakeHost{loads: 3, ahead: true})
	expect(t, 49)(result(mp.Go[int](watchdog(t), mp.Processes, square, 7)))
	h.mu.Lock()
	h.ahead = false
	h.mu.Unlock()
	expect(t, 49)(result(mp.Go[int](watchdog(t), mp.Processes, square, 7)))
	// The workers of a pool have their own environment.
	p, err := mp.NewPool(mp.Processes, mp.Workers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := mp.Map[int](watchdog(t), p, square, []int{1, 2}); err != nil || h.starts != 2 {
		t.Errorf("%v, %d starts by the host, want 2", err, h.starts)
	}
}

func TestHostNamesFunctionsAndUpdatesChildren(t *testing.T) {
	asFakeHost(t, &fakeHost{loads: 3})
	expect(t, 49)(result(mp.Go[int](watchdog(t), mp.Processes, square, 7)))
	n := 1
	_, err := mp.Go[int](watchdog(t), mp.Processes, func(x int) int { return x + n }, 1)
	refused(t, err, "captures variables")
}

func TestHostNoticesReads(t *testing.T) {
	h := asFakeHost(t, &fakeHost{loads: 1, reads: []string{"X", "limit"}})
	for range 2 { // package mp shows the notice each time; a Host may drop repeated ones
		expect(t, 0)(result(mp.Go[int](watchdog(t), mp.Processes, readX, mp.None{})))
	}
	h.reads, h.initial = []string{"X"}, []string{"count"} // as after a new definition of the function
	expect(t, 0)(result(mp.Go[int](watchdog(t), mp.Processes, readX, mp.None{})))
	both := "mp: mp_test.readX uses the variables X, limit, which are zero in a child process, since their initializers may have effects " +
		"or use variables that have changed. Pass them as arguments, or set them in an mp.Initializer."
	want := []string{
		both, both,
		"mp: mp_test.readX uses the variable X, which is zero in a child process, since its initializer may have effects " +
			"or use variables that have changed. Pass it as an argument, or set it in an mp.Initializer.",
		"mp: mp_test.readX uses the variable count. A child process has its own copy, with the initial value.",
	}
	if !slices.Equal(h.notices, want) {
		t.Errorf("notices %q, want %q", h.notices, want)
	}
}

func chat(say string) (string, error) {
	if err := mphost.Parent().Send([]byte(say)); err != nil {
		return "", err
	}
	return <-childHost.arrived, nil
}

func TestHostMessagesBothWays(t *testing.T) {
	h := asFakeHost(t, &fakeHost{loads: 1})
	expect(t, "re: a display")(result(mp.Go[string](watchdog(t), mp.Processes, chat, "a display")))
	if !slices.Equal(h.messages, []string{"a display"}) {
		t.Errorf("messages %q", h.messages)
	}
}

// TestHostUpdatesAPoolThatIsWarm checks that running workers get new code of a function
// that keeps its id.
func TestHostUpdatesAPoolThatIsWarm(t *testing.T) {
	h := asFakeHost(t, &fakeHost{loads: 1})
	pool, err := mp.NewPool(mp.Processes, mp.Workers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for loads := 1; loads < 4; loads++ {
		h.mu.Lock()
		h.loads = loads
		h.mu.Unlock()
		expect(t, loads)(only(mp.Map[int](watchdog(t), pool, childLoads, []mp.None{{}})))
	}
}

func childLoads(mp.None) int {
	childHost.mu.Lock()
	defer childHost.mu.Unlock()
	return childHost.loads
}

func only[T any](s []T, err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return s[0], nil
}

var errStopped = errors.New("the cell was stopped")

// TestHostCancels checks that a Host can cancel the waits of a goroutine and the
// functions that it has started.
func TestHostCancels(t *testing.T) {
	h := asFakeHost(t, &fakeHost{loads: 1})
	waits := map[string]func() error{
		"Map": func() error {
			var pool mp.Pool
			defer pool.Close()
			return mp.ForEach(context.Background(), &pool, untilCanceled, []int{1})
		},
		"Stream": func() error {
			var pool mp.Pool
			defer pool.Close()
			for _, err := range mp.Stream[int](context.Background(), &pool, untilCanceledInt, slices.Values([]int{1})) {
				return err
			}
			return nil
		},
		"Submit": func() error {
			var pool mp.Pool
			defer pool.Close()
			_, err := mp.Submit[int](context.Background(), &pool, untilCanceledInt, 1).Result(context.Background())
			return err
		},
		"Join": func() error {
			p, err := mp.Start(context.Background(), mp.Processes, untilCanceled, 1)
			if err != nil {
				return err
			}
			defer p.Kill()
			return p.Join(context.Background())
		},
		"Get of processes": func() error { return getFrom(mp.Processes) },
		"Get":              func() error { return getFrom(mp.Goroutines) },
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			h.mu.Lock()
			h.ctx = ctx
			h.mu.Unlock()
			time.AfterFunc(20*time.Millisecond, func() { cancel(errStopped) })
			if err := wait(); !errors.Is(err, errStopped) && !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func untilCanceled(ctx context.Context, _ int) error { <-ctx.Done(); return context.Cause(ctx) }

func untilCanceledInt(ctx context.Context, _ int) (int, error) {
	return 0, untilCanceled(ctx, 0)
}

func getFrom(b mp.Backend) error {
	q, err := mp.NewQueue[int](b, 0)
	if err != nil {
		return err
	}
	_, err = q.Get(context.Background())
	return err
}

type brokenHost struct{ mphost.Host }

func (brokenHost) Update(int) ([]byte, int, error) {
	return nil, 0, errors.New("the objects are gone")
}

func TestHostUpdateFails(t *testing.T) {
	mphost.Set(brokenHost{mphost.Program()})
	defer mphost.Set(mphost.Program())
	_, err := result(mp.Go[int](watchdog(t), mp.Processes, square, 7))
	refused(t, err, "the objects are gone")
}
