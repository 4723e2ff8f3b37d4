package conformance

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// spin is a cell with a function that keeps a core busy in line 5, and with a call of it in
// line 11.
const spin = `import ("os"; "runtime/pprof"; "runtime/trace"; "sync/atomic"; "time")
var stop atomic.Bool; var rounds atomic.Int64
func spin(n int) (s int) {
	for i := range n {
		s += i * i ^ s
	}
	return s
}
func turns() {
	for !stop.Load() {
		spin(1 << 20); rounds.Add(1)
		time.Sleep(time.Microsecond)
	}
}
`

// TestProfilesNameCells takes a CPU profile and an execution trace while cells are loaded, and
// reads them with go tool pprof and go tool trace. They must show code of cells with its
// function name, cell and line.
func TestProfilesNameCells(t *testing.T) {
	dir := t.TempDir()
	cpu, events := filepath.Join(dir, "cpu"), filepath.Join(dir, "trace")
	s := newSession(t, nil)
	mustRun(t, s, spin)
	mustRun(t, s, fmt.Sprintf(`cpu, _ := os.Create(%q)
events, _ := os.Create(%q)
if err := pprof.StartCPUProfile(cpu); err != nil { panic(err) }
if err := trace.Start(events); err != nil { panic(err) }
go turns()`, cpu, events))
	for i := range 50 {
		mustRun(t, s, fmt.Sprintf("func loaded%d() int { return spin(%d) }\nloaded%d()", i, 1000+i, i))
	}
	// The profile needs enough samples: this many rounds take half a second of processor time.
	mustRun(t, s, `for enough := rounds.Load() + 1000; rounds.Load() < enough; { time.Sleep(time.Millisecond) }
stop.Store(true)
trace.Stop()
pprof.StopCPUProfile()
cpu.Close()
events.Close()`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"pprof", "-top", "-lines", cpu}, `(?m)main\.spin Cell \[1\]:[45]\b`},
		{[]string{"pprof", "-traces", "-lines", cpu}, `(?m)main\.spin Cell \[1\]:[45](?: \(inline\))?\s+main\.turns Cell \[1\]:11\b`},
		{[]string{"trace", "-d=parsed", events}, `(?m)main\.turns @ 0x\w+\n\s*Cell \[1\]:1[12]\b`},
	} {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"tool"}, c.args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("go tool %v: %v\n%.2000s", c.args, err, out)
			continue
		}
		if !regexp.MustCompile(c.want).Match(out) {
			t.Errorf("go tool %v has no %s:\n%.3000s", c.args, c.want, out)
		}
	}
}

// TestLoadsInOrder executes cells concurrently: they run one after another, in the order of
// their numbers, while goroutines of cells keep running.
func TestLoadsInOrder(t *testing.T) {
	s := newSession(t, nil)
	mustRun(t, s, busy+"\nvar order []int\nvar running atomic.Int64")
	const cells = 40
	ids := make([]int, cells) // the number of each cell
	var all sync.WaitGroup
	for i := range cells {
		all.Go(func() {
			code := fmt.Sprintf("func id%d() int { return %d }\nrunning.Add(1)\norder = append(order, id%d())\nif running.Add(-1) != 0 { panic(\"two at a time\") }", i, i, i)
			reply := s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, &recorder{})
			if reply.Status != output.OK {
				t.Errorf("cell %d: %v", i, reply.Error)
			}
			ids[i] = reply.ExecutionCount
		})
	}
	all.Wait()
	byNumber := make([]int, cells)
	for i := range byNumber {
		byNumber[i] = i
	}
	slices.SortFunc(byNumber, func(a, b int) int { return ids[a] - ids[b] })
	if got, want := strings.TrimSpace(mustRun(t, s, "fmt.Println(order)")), fmt.Sprint(byNumber); got != want {
		t.Errorf("cells ran in the order\n%s, their numbers say\n%s", got, want)
	}
}
