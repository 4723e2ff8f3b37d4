package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

var (
	soakLength = flag.Int("soak.cells", 200, "how many cells the soak runs; 5000 take two to five minutes")
	soakSeed   = flag.Uint64("soak.seed", 0, "the soak's order of cells; 0 chooses one")
)

// A soak is a long-running notebook with the expected values of its variables.
type soak struct {
	*testKernel
	rng    *rand.Rand
	worker int // process ID of the worker process
	total  int
	deaths int
	ran    int // number of cells

	owed map[string]string // by request: text that a cell that has ended is still to print
	lost map[string]string // by request: text that was owed when the worker process died
}

// run executes a cell and checks its result.
func (s *soak) run(c cellRun, w want) error {
	s.ran++
	got, err := s.execute(c)
	if err == nil {
		err = w.check(got)
	}
	if err != nil {
		return fmt.Errorf("%w, in the cell\n%s", err, c.code)
	}
	return nil
}

// late runs a cell one of whose goroutines prints text, before or after the cell's end. The
// text's message must have the cell as its parent. It may be missing if the worker process
// dies.
func (s *soak) late(code, text string) error {
	s.ran++
	got, err := s.execute(cellRun{code: code})
	if err != nil {
		return err
	}
	if out := got.stdout; out == "" {
		s.owed[got.id] = text
	} else if out != text {
		return fmt.Errorf("stdout %q", out)
	}
	return want{stdout: got.stdout}.check(got)
}

// heard handles iopub messages of earlier cells.
func (s *soak) heard(m *wire.Message) {
	text, owed := s.owed[m.Parent.MsgID]
	lost := s.lost[m.Parent.MsgID]
	if m.Header.MsgType != "stream" {
		return
	}
	var got cellResult
	if err := got.add(m); err != nil {
		s.t.Error(err)
	}
	switch out := got.stdout; {
	case out == text && owed:
		delete(s.owed, m.Parent.MsgID)
	case out != "" && out != lost:
		s.t.Errorf("after its cell came %q", out)
	}
}

// reborn prepares the state of a new worker process.
func (s *soak) reborn() error {
	s.deaths++
	maps.Copy(s.lost, s.owed)
	clear(s.owed)
	return s.setUp()
}

func (s *soak) setUp() error {
	s.total = 0
	got, err := s.execute(cellRun{code: soakSetup + `fmt.Print(os.Getpid())`})
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(got.stdout, &s.worker); err != nil {
		return fmt.Errorf("no worker: %+v", got)
	}
	return nil
}

// A reading has numbers about the resources of the kernel and the worker process when no
// cell runs.
type reading struct {
	Cell             int
	KernelGoroutines int
	WorkerGoroutines int
	KernelFiles      int
	WorkerFiles      int
	Children         int // descendants of the kernel, without compilers
	Compilers        int // running compilers; two may be on standby
	KernelHeap       int // bytes in use after a collection
	WorkerHeap       int
	KernelMemory     int // bytes resident
	WorkerMemory     int
}

const workerCensus = `{ debug.FreeOSMemory(); var m runtime.MemStats; runtime.ReadMemStats(&m)
b, _ := json.Marshal(map[string]int{"WorkerGoroutines": runtime.NumGoroutine(), "WorkerHeap": int(m.HeapInuse)}); fmt.Println(string(b)) }`

// read takes a reading. If bound is not nil, it waits until the reading is within bound, since
// some resources are released late.
func (s *soak) read(bound *reading) reading {
	s.t.Helper()
	var r reading
	take := func() error {
		got, err := s.execute(cellRun{code: workerCensus})
		if err != nil {
			return err
		}
		r = reading{Cell: s.ran}
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			return fmt.Errorf("%w: %+v", err, got)
		}
		c, err := s.census()
		if err != nil {
			return err
		}
		pid := s.cmd.Process.Pid
		r.KernelGoroutines, r.KernelHeap = c.Goroutines, int(c.Heap)
		r.KernelFiles, r.WorkerFiles = openFiles(pid), openFiles(s.worker)
		r.KernelMemory, r.WorkerMemory = residentBytes(pid), residentBytes(s.worker)
		r.Children, r.Compilers = 0, 0
		for _, p := range descendants(pid) {
			if p.name == "compile" {
				r.Compilers++
			} else {
				r.Children++
			}
		}
		if len(s.owed) > 0 {
			return fmt.Errorf("not printed: %q", slices.Collect(maps.Values(s.owed)))
		}
		if bound != nil && !r.within(*bound) {
			return fmt.Errorf("more than at the beginning, %+v:\n%+v\nchildren %v\n%s", *bound, r, descendants(pid), c.Stacks)
		}
		return nil
	}
	if bound == nil { // the first reading, which bounds all later ones, includes the compilers on standby
		eventually(s.t, "the next cell's compilers", func() bool {
			compilers := slices.DeleteFunc(descendants(s.cmd.Process.Pid), func(p processStat) bool { return p.name != "compile" })
			return len(compilers) == 2
		})
	}
	var err error
	for end := time.Now().Add(watchdog); ; time.Sleep(100 * time.Millisecond) {
		if err = take(); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		s.t.Fatalf("after %d cells: %v", s.ran, err)
	}
	return r
}

// within reports whether the numbers that must not grow are at most those of b.
func (r reading) within(b reading) bool {
	return r.KernelGoroutines <= b.KernelGoroutines && r.WorkerGoroutines <= b.WorkerGoroutines &&
		r.KernelFiles <= b.KernelFiles && r.WorkerFiles <= b.WorkerFiles && r.Children <= b.Children && r.Compilers <= 2
}

// TestSoak runs a long random mix of cells through the real protocol, some of which fail, are
// interrupted, or kill the worker process, and looks for leaks. The worker process stays
// alive in the first half, so that leaks in it are found.
func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano() % 1_000_000)
	}
	t.Logf("go test ./kernel/cmd/perijove -run Soak -soak.cells %d -soak.seed %d", *soakLength, seed)
	s := &soak{testKernel: startReal(t), rng: rand.New(rand.NewPCG(seed, 0)), owed: map[string]string{}, lost: map[string]string{}}
	s.other = s.heard
	if err := s.setUp(); err != nil {
		t.Fatal(err)
	}
	// One cell of each kind, so that resources that are kept exist before the first reading.
	for _, c := range soakCells {
		s.do(c)
	}
	s.awaitStandby()
	first := s.read(nil)
	t.Logf("%+v", first)
	bag := mixed(soakCells)
	half := max(*soakLength/2, s.ran)
	last := first
	for s.ran < half {
		s.do(bag[s.rng.IntN(len(bag))])
		if s.ran-last.Cell >= 500 {
			last = s.read(&first)
			t.Logf("%+v", last)
		}
	}
	last = s.read(&first)
	t.Logf("one worker: %+v", last)
	s.checkGrowth("the worker's heap", first.WorkerHeap, last.WorkerHeap, last.Cell-first.Cell)
	s.checkGrowth("the worker's memory", first.WorkerMemory, last.WorkerMemory, last.Cell-first.Cell)

	deadly := mixed(deadlyCells)
	for s.ran < *soakLength {
		s.do(bag[s.rng.IntN(len(bag))])
		if s.rng.IntN(25) == 0 {
			s.do(deadly[s.rng.IntN(len(deadly))])
		}
		if s.ran-last.Cell >= 500 {
			last = s.read(&first)
			t.Logf("%d deaths: %+v", s.deaths, last)
		}
	}
	for _, c := range deadlyCells {
		s.do(c)
	}
	last = s.read(&first)
	t.Logf("%d deaths: %+v", s.deaths, last)
	s.checkGrowth("the kernel's heap", first.KernelHeap, last.KernelHeap, last.Cell-first.Cell)
	s.checkGrowth("the kernel's memory", first.KernelMemory, last.KernelMemory, last.Cell-first.Cell)
	s.shutDown()
}

// awaitStandby starts child processes until the worker process keeps a standby process, so
// that the first reading includes it.
func (s *soak) awaitStandby() {
	s.t.Helper()
	i := slices.IndexFunc(soakCells, func(c soakCell) bool { return c.name == "process of the library" })
	for range 3 {
		s.do(soakCells[i])
	}
	eventually(s.t, "the worker's standby", func() bool {
		return slices.ContainsFunc(descendants(s.cmd.Process.Pid), func(p processStat) bool { return p.parent == s.worker && !p.zombie })
	})
}

func (s *soak) do(c soakCell) {
	s.t.Helper()
	if err := c.step(s, s.ran); err != nil {
		s.t.Errorf("cell %d (%s): %v", s.ran, c.name, err)
		if err := s.setUp(); err != nil { // after an error, continue in a known state
			s.t.Fatal(err)
		}
	}
}

// perCell is how many bytes a cell may occupy permanently: its text and declarations in the
// kernel, its code in the worker process.
const perCell = 12 << 10

func (s *soak) checkGrowth(what string, before, after, cells int) {
	s.t.Helper()
	const settling = 16 << 20 // for caches, and pages that the collector keeps
	s.t.Logf("%s: %.1f MB, then %.1f MB: %.1f KB a cell", what, float64(before)/1e6, float64(after)/1e6, float64(after-before)/1e3/float64(cells))
	if after-before > settling+perCell*cells {
		s.t.Errorf("%s grew from %d to %d bytes in %d cells", what, before, after, cells)
	}
}

// shutDown ends the kernel like Jupyter and checks that no process is left.
func (s *soak) shutDown() {
	s.t.Helper()
	all := descendants(s.cmd.Process.Pid)
	if _, err := s.ask("control", "shutdown_request", `{"restart":false}`); err != nil {
		s.t.Error(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Error("the kernel's end:", err)
	}
	for _, p := range all {
		if syscall.Kill(p.pid, 0) == nil {
			s.t.Errorf("process %d (%s) is left", p.pid, p.name)
		}
	}
	left, _ := filepath.Glob(filepath.Join(s.cmd.Dir, "perijove-*"))
	if sockets, _ := filepath.Glob(s.conn.IP + "-*"); len(left)+len(sockets) > 0 {
		s.t.Errorf("left behind: %q %q", left, sockets)
	}
	if text := s.log.String(); strings.Contains(text, "level=ERROR") {
		s.t.Errorf("the kernel's log:\n%.3000s", text)
	}
	_ = os.Remove(s.file)
}

// mixed lists each kind of cell as often as its weight.
func mixed(kinds []soakCell) []soakCell {
	var bag []soakCell
	for _, c := range kinds {
		bag = append(bag, slices.Repeat([]soakCell{c}, c.weight)...)
	}
	return bag
}
