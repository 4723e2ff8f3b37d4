package cluster_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

// killMyself ends the process as the system does when it runs out of memory.
func killMyself() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {} // until the signal arrives
}

type errand struct {
	Folder string
	N      int
}

// killEveryHundredth kills its process in the first try of every hundredth task; a file
// records that.
func killEveryHundredth(e errand) (int, error) {
	if e.N%100 == 50 {
		f, err := os.OpenFile(filepath.Join(e.Folder, fmt.Sprint(e.N)), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			killMyself()
		}
	}
	return e.N, nil
}

func errands(folder string, n int) []errand {
	es := make([]errand, n)
	for i := range es {
		es[i] = errand{folder, i}
	}
	return es
}

func TestChildrenAreKilled(t *testing.T) {
	p := newPool(t, open(t, 2, cluster.Tries(5)))
	ys, err := mp.Map[int](watchdog(t), p, killEveryHundredth, errands(t.TempDir(), 1000))
	if err != nil || !slices.Equal(ys, upTo(1000)) {
		t.Fatalf("%d results, %v", len(ys), err)
	}
}

func suicidal(x int) int {
	if x == 5 {
		killMyself()
	}
	return x
}

func TestDeadLetters(t *testing.T) {
	c := open(t, 2, cluster.Tries(2))
	p := newPool(t, c)
	_, err := mp.Map[int](watchdog(t), p, suicidal, upTo(10))
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Signal == 0 {
		t.Errorf("got %v", err)
	}
	expectMap(t, p)
	dead, err := c.DeadLetters(watchdog(t))
	if err != nil || len(dead) != 1 {
		t.Fatalf("%d dead letters, %v", len(dead), err)
	}
	if d := dead[0]; !strings.Contains(d.Function, "suicidal (death_test.go:") || !strings.Contains(d.Error, "killed") || d.Tries != 2 || d.Time.IsZero() {
		t.Errorf("the dead letter is %+v", d)
	}
}

// A machine is a process that runs workers, as on another machine.
type machine struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startMachine(t *testing.T, c *cluster.Cluster) *machine {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+c.URL(), "CLUSTER_TEST_TOKEN="+c.Token())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{cmd, in}
	t.Cleanup(m.stop)
	return m
}

func (m *machine) stop() {
	_ = m.stdin.Close()
	_ = m.cmd.Wait()
}

// kill kills the process; its children end with it.
func (m *machine) kill(t *testing.T) {
	t.Helper()
	if err := m.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
}

// record appends its number to a file, so that a test sees how often a task was run.
func record(e errand) (int, error) {
	f, err := os.OpenFile(filepath.Join(e.Folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, e.N)
	return e.N, err
}

func TestMachineIsKilled(t *testing.T) {
	c := open(t, 0)
	p := newPool(t, c)
	first, folder := startMachine(t, c), t.TempDir()
	seen, replaced := make(map[int]int), false
	for y, err := range mp.StreamUnordered[int](watchdog(t), p, record, slices.Values(errands(folder, 2000))) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[y]++; len(seen) > 200 && !replaced {
			replaced = true
			first.kill(t)
			startMachine(t, c)
		}
	}
	if len(seen) != 2000 {
		t.Errorf("%d results of 2000", len(seen))
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("result %d came %d times", n, times)
		}
	}
	log, err := os.ReadFile(filepath.Join(folder, "log"))
	if runs := bytes.Count(log, []byte("\n")); err != nil || runs < 2000 {
		t.Errorf("the tasks were run %d times, %v", runs, err)
	}
}

// killMachine kills the process that has started this child, and waits for its end.
func killMachine(x int) int {
	if p, err := os.FindProcess(os.Getppid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

func TestTasksThatKillMachinesAreGivenUp(t *testing.T) {
	c := open(t, 0, cluster.Tries(2))
	p := newPool(t, c)
	first := startMachine(t, c)
	f := mp.Submit[int](watchdog(t), p, killMachine, 1)
	_ = first.cmd.Wait()
	second := startMachine(t, c)
	_ = second.cmd.Wait()
	startMachine(t, c)
	_, err := f.Result(watchdog(t))
	refused(t, err, "no result of", "killMachine", "each process that ran the task was lost, and the option cluster.Tries limits the number of tries to 2")
	dead, err := c.DeadLetters(watchdog(t))
	if err != nil || len(dead) != 1 || !strings.Contains(dead[0].Error, "limits the number of tries to 2") {
		t.Errorf("the dead letters are %+v, %v", dead, err)
	}
	expectMap(t, p)
}

func say(x int) int {
	fmt.Printf("task %d\n", x)
	fmt.Fprintf(os.Stderr, "warning %d\n", x)
	return x
}

// capture returns what is written to *f until stop is called, and waits until done reports
// that all output has arrived.
func capture(t *testing.T, f **os.File) (text func() string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := *f
	*f = w
	var mu sync.Mutex
	var all bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			mu.Lock()
			all.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		*f = old
		w.Close()
		<-ended
		r.Close()
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return all.String()
	}
}

func TestOutputComesBack(t *testing.T) {
	out, errs := capture(t, &os.Stdout), capture(t, &os.Stderr)
	c := open(t, 0)
	p := newPool(t, c)
	startMachine(t, c)
	if _, err := mp.Map[int](watchdog(t), p, say, upTo(20)); err != nil {
		t.Fatal(err)
	}
	ctx := watchdog(t)
	for i := 0; i < 20; {
		switch {
		case strings.Contains(out(), fmt.Sprintf("task %d\n", i)) && strings.Contains(errs(), fmt.Sprintf("warning %d\n", i)):
			i++
		case ctx.Err() != nil:
			t.Fatalf("output:\n%s\nerrors:\n%s", out(), errs())
		default:
			p.Workers() // the rest is on its way
		}
	}
}
