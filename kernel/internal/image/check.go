package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/racereport"
	"golang.org/x/sys/unix"
)

// A checkCell is a small cell that a new worker process must run before its image is accepted. If the layout of the
// toolchain's structures is not the layout that the linker expects, these cells fail, and not the cells of a user.
type checkCell struct {
	name   string
	source string
	race   string // the line of a race that the race detector must report; "" for none
	how    string // how the call should end, such as control.Returned
	value  string // the panic value
	prints string
}

func checkCells() []checkCell {
	return []checkCell{
		{name: "print", how: control.Returned, prints: "printed 42\n", source: `
import "fmt"
func Check() { fmt.Println("printed", 42) }
`},
		{name: "methods", how: control.Returned, prints: "a shape of 6, as main.Shape; sum 6 of 1 kinds\n", source: `
import ("fmt"; "sort")
type Shape struct { w, h int; tags map[string]*int }
func (s *Shape) String() string { return fmt.Sprintf("a shape of %d", s.w*s.h) }
func (s *Shape) Area() int { return s.w*s.h }
type Measured interface { fmt.Stringer; Area() int }
type byArea []Measured
func (b byArea) Len() int { return len(b) }
func (b byArea) Less(i, j int) bool { return b[i].Area() < b[j].Area() }
func (b byArea) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
var shapes byArea
func Sum[T Measured](list []T) (n int) { for _, s := range list { n += s.Area() }; return n }
func Check() {
	shapes = append(shapes, &Shape{w: 2, h: 3, tags: map[string]*int{"x": new(int)}})
	sort.Sort(shapes)
	var v any = shapes[0]
	kinds := map[any]bool{shapes[0]: true, v: true}
	fmt.Printf("%v, as %.10s; sum %d of %d kinds\n", v.(fmt.Stringer), fmt.Sprintf("%T", *v.(*Shape)), Sum(shapes), len(kinds))
}
`},
		{name: "panic", how: control.Panicked, value: "runtime error: index out of range [3] with length 2", prints: "recovered: first\ndeferred\n", source: `
import ("fmt"; "runtime")
func first() { defer func() { fmt.Println("recovered:", recover()) }(); panic("first") }
func Check() {
	first()
	runtime.GC()
	defer fmt.Println("deferred")
	list := []int{1, 2}
	_ = list[len(list)+1]
}
`},
	}
}

const checkTimeout = time.Minute

// checkWorker starts a worker process of the new image and runs the check cells in it.
func (b *builder) checkWorker() error {
	if b.opt.check != nil {
		return b.opt.check(b)
	}
	ctx, cancel := context.WithTimeout(b.ctx, checkTimeout)
	defer cancel()
	cells, env := checkCells(), []string(nil)
	if b.opt.Race {
		cells, env = append(cells, raceCells()...), []string{racereport.Variable(b.dir)}
		if err := os.Mkdir(racereport.Folder(b.dir), 0o700); err != nil {
			return err
		}
	}
	w, err := startChecked(ctx, b.dir, env...)
	if err != nil {
		return err
	}
	err = w.runAll(ctx, b.compileCheck, cells)
	if err = errors.Join(err, w.close()); err == nil && b.opt.Race {
		err = checkRaces(b.dir, cells)
	}
	return err
}

// A checkedWorker is a worker process that runs the check cells.
type checkedWorker struct {
	cmd      *exec.Cmd
	sock     *os.File
	conn     *control.Conn
	out, err bytes.Buffer // complete once the process has ended
	stop     func() bool
	cells    []checkCell // cells that have run
}

func startChecked(ctx context.Context, dir string, env ...string) (*checkedWorker, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(pair[0], true); err != nil { // so that Close ends a blocked Receive
		return nil, err
	}
	w := &checkedWorker{sock: os.NewFile(uintptr(pair[0]), "control")}
	theirs := os.NewFile(uintptr(pair[1]), "control")
	defer theirs.Close()
	w.conn = control.New(w.sock)
	w.cmd = exec.Command(filepath.Join(dir, "worker"), dir)
	w.cmd.ExtraFiles = []*os.File{theirs}
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.err
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w.cmd.WaitDelay = time.Second
	if err := w.cmd.Start(); err != nil {
		w.sock.Close()
		return nil, err
	}
	w.stop = context.AfterFunc(ctx, func() { w.sock.Close() })
	return w, nil
}

func (w *checkedWorker) runAll(ctx context.Context, compile func(context.Context, checkCell) (string, error), cells []checkCell) error {
	m, err := w.conn.Receive()
	if _, ready := m.(control.Ready); !ready {
		return fmt.Errorf("the worker process did not start: %w", errors.Join(err, ctx.Err()))
	}
	for _, c := range cells {
		object, err := compile(ctx, c)
		if err != nil {
			return err
		}
		w.cells = append(w.cells, c)
		if err := w.run(object, c); err != nil {
			return fmt.Errorf("the check cell %q failed: %w", c.name, errors.Join(err, ctx.Err()))
		}
	}
	return nil
}

func (b *builder) compileCheck(ctx context.Context, c checkCell) (string, error) {
	scratch := b.src("check")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return "", err
	}
	source, object := filepath.Join(scratch, c.name+".go"), filepath.Join(scratch, c.name+".o")
	if err := os.WriteFile(source, []byte("package main\n"+c.source), 0o644); err != nil {
		return "", err
	}
	args := []string{"-o", object, "-p", "main", "-importcfg", filepath.Join(b.dir, "importcfg"), "-dwarf=false", "-lang=" + b.tc.Lang()}
	if b.opt.Race {
		args = append(args, "-race")
	}
	msg, err := exec.CommandContext(ctx, b.tc.Compile(), append(args, source)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot compile the check cell %q: %w\n%s", c.name, err, msg)
	}
	return object, nil
}

func (w *checkedWorker) run(object string, c checkCell) error {
	err := w.conn.Send(control.Run{ID: len(w.cells), Object: object, Fresh: []string{"main.Check"}, Entry: "main.Check", Init: true})
	if err != nil {
		return fmt.Errorf("the worker process ended while it ran a check cell: %w", err)
	}
	for {
		m, err := w.conn.Receive()
		if err != nil {
			return fmt.Errorf("the worker process ended while it ran a check cell: %w", err)
		}
		switch m := m.(type) {
		case control.LoadFailed:
			return errors.New(m.Reason)
		case control.Done:
			if m.Outcome.How != c.how || m.Outcome.Value != c.value {
				return fmt.Errorf("the cell ended as %+v, not as %s %s", m.Outcome, c.how, c.value)
			}
			return nil
		}
	}
}

// close ends the worker process and compares its whole output with the output that the cells should print.
func (w *checkedWorker) close() error {
	w.stop()
	w.sock.Close()
	_ = unix.Kill(-w.cmd.Process.Pid, unix.SIGKILL)
	_ = w.cmd.Wait() // returns an error, since a signal ends the process
	var want strings.Builder
	for _, c := range w.cells {
		want.WriteString(c.prints)
	}
	if got := w.out.String(); got != want.String() || w.err.Len() > 0 {
		return fmt.Errorf("the check cells printed %q instead of %q, and on standard error: %.2000s", got, want.String(), w.err.String())
	}
	return nil
}
