package conformance

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/session"
)

var loads = flag.Int("stress.loads", 100, "how many cells each stress test loads into one worker; 10000 for the long run")

// busy is a cell that starts goroutines which read the runtime tables that loading extends:
// they allocate, grow stacks, panic and recover, walk stacks, and collect garbage.
const busy = `
import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

type node struct {
	next *node
	name string
	data map[string][]int
}

func deep(n int) int {
	var pad [64]int
	if n == 0 {
		return pad[0]
	}
	pad[n%64] = deep(n - 1)
	return pad[n%64] + 1
}

func caught(err error) (got error) {
	defer func() { got, _ = recover().(error) }()
	panic(err)
}

func here() string {
	pcs := make([]uintptr, 20)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	f, _ := frames.Next()
	return f.Function
}

var rounds [4]atomic.Int64
var wrong atomic.Value
var errBusy = errors.New("busy")

func check(ok bool, what string) {
	if !ok {
		wrong.Store(what)
	}
}

func work(i int) {
	for {
		var list *node
		for j := range 50 {
			list = &node{list, fmt.Sprint(j), map[string][]int{"a": {j}}}
		}
		done := make(chan int)
		go func() { done <- deep(500) }()
		check(<-done == 500, "deep")
		check(caught(errBusy) == errBusy, "caught")
		check(strings.HasSuffix(here(), "here"), "here")
		n := 49
		for p := list; p != nil; p = p.next {
			check(p.name == fmt.Sprint(n) && p.data["a"][0] == n, "list")
			n--
		}
		if rounds[i].Add(1)%20 == 0 {
			runtime.GC()
		}
		time.Sleep(time.Millisecond)
	}
}
for i := range rounds {
	go work(i)
}
`

// profiled is a cell that takes CPU profiles, traces and allocation profiles continuously.
const profiled = `
import (
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
)

var profiles atomic.Int64

func profile() {
	runtime.MemProfileRate = 512
	for {
		if err := pprof.StartCPUProfile(io.Discard); err != nil {
			wrong.Store(err.Error())
			return
		}
		if err := trace.Start(io.Discard); err != nil {
			wrong.Store(err.Error())
			return
		}
		time.Sleep(20 * time.Millisecond)
		trace.Stop()
		pprof.StopCPUProfile()
		pprof.Lookup("goroutine").WriteTo(io.Discard, 1)
		pprof.Lookup("heap").WriteTo(io.Discard, 1)
		profiles.Add(1)
	}
}
go profile()
`

// stressCell returns cell i. Every tenth panics in a separate function; all others check their
// results. Each makes a type with reflect that the next cell writes in Go.
func stressCell(i int) string {
	return fmt.Sprintf(`
type t%[2]d struct { n int; s []string; m map[string]*t%[2]d }
func (t *t%[2]d) String() string { return fmt.Sprintf("t%%d", t.n) }
func f%[2]d(v any) string {
	if x := v.(*t%[2]d); x.n %% 10 == 9 {
		panic(fmt.Errorf("cell %%v", x))
	}
	return fmt.Sprint(v)
}
if _, ok := made.([]t%[3]d); !ok { panic(fmt.Sprintf("wrong: %%T", made)) }
made = reflect.MakeSlice(reflect.SliceOf(reflect.TypeFor[t%[2]d]()), 1, 1).Interface()
last = append(last[max(0, len(last)-10):], &t%[2]d{n: %[1]d, s: make([]string, %[1]d%%100)})
if got := f%[2]d(last[len(last)-1]); got != "t%[1]d" { panic("wrong: " + got) }
if w := wrong.Load(); w != nil { panic(w) }
`, i, i%500, max(0, i-1)%500)
}

func TestStress(t *testing.T) {
	stress(t, *loads, nil, busy)
}

func TestStressProfiled(t *testing.T) {
	stress(t, min(*loads, 1000), nil, busy, profiled)
}

// TestStressCollector loads cells while the collector runs all the time and overwrites freed
// memory.
func TestStressCollector(t *testing.T) {
	n := min(*loads, 300)
	stress(t, n, []string{"GOGC=1", "GODEBUG=clobberfree=1,invalidptr=1"}, busy)
	stress(t, n, []string{"GOGC=1", "GODEBUG=clobberfree=1,invalidptr=1,gcstoptheworld=1"}, busy)
	stress(t, n, []string{"GOGC=5", "GODEBUG=gccheckmark=1"}, busy)
}

func stress(t *testing.T, n int, env []string, setup ...string) {
	t.Helper()
	s := newSession(t, env)
	for _, code := range append(setup, "var last []fmt.Stringer\nimport \"reflect\"\ntype t0 struct { n int; s []string; m map[string]*t0 }\nvar made any = []t0{}") {
		mustRun(t, s, code)
	}
	for i := range n {
		err := executeCell(t, s, stressCell(i), &recorder{})
		var want string
		if i%10 == 9 {
			want = fmt.Sprintf("cell t%d", i)
		}
		switch {
		case err == nil && want != "", err != nil && (want == "" || !strings.Contains(err.Error(), want)):
			t.Fatalf("%v: cell %d of %d: got error %v, want %q", env, i, n, err, want)
		}
	}
	mustRun(t, s, `for i := range rounds {
		before := rounds[i].Load()
		for rounds[i].Load() == before { time.Sleep(time.Millisecond) }
	}
	if w := wrong.Load(); w != nil { panic(w) }`)
	t.Logf("%v: %d cells", env, n)
}

func newSession(t *testing.T, env []string) *session.Session {
	t.Helper()
	s, err := session.New(session.Config{Image: openImage(t), Dir: t.TempDir(), Env: env, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustRun(t *testing.T, s *session.Session, code string) string {
	t.Helper()
	var out recorder
	if err := executeCell(t, s, code, &out); err != nil {
		t.Fatalf("%s\n%v", code, err)
	}
	return out.text()
}

// growthLimit is how much memory a trivial cell may occupy permanently in the worker process,
// in bytes.
const growthLimit = 20 << 10

// TestGrowth measures the growth of the worker process by trivial cells.
func TestGrowth(t *testing.T) {
	s := newSession(t, nil)
	mustRun(t, s, `import ("fmt"; "os"; "runtime/debug"; "strings")
func resident() { // in KB
	debug.FreeOSMemory()
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); f[0] == "RssAnon:" || f[0] == "RssShmem:" {
			fmt.Println(f[1])
		}
	}
}`)
	const warm = 50
	n := max(*loads, warm)
	var before int
	for i := range warm + n {
		if i == warm {
			before = resident(t, s)
		}
		mustRun(t, s, fmt.Sprintf("fmt.Println(%d)", i))
	}
	per := (resident(t, s) - before) / n
	t.Logf("%d bytes for each of %d cells", per, n)
	if per > growthLimit {
		t.Errorf("a trivial cell leaves %d bytes in the worker, more than %d", per, growthLimit)
	}
}

func resident(t *testing.T, s *session.Session) int {
	t.Helper()
	total := 0
	for _, f := range strings.Fields(mustRun(t, s, "resident()")) {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(errors.New("unexpected /proc/self/status"))
		}
		total += n << 10
	}
	return total
}
