// Package worker is the process that holds a notebook's state: it links the
// cells' compiled code into itself and runs it. It speaks with the kernel over
// a control socket; standard output and error go to the kernel through pipes.
//
// The process may die of what a cell does. The kernel then starts another.
package worker

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/celllabels"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/kernel/internal/taskbars"
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display/values"
	_ "github.com/perijove/perijove/lib/mp" // what the host is for
	"github.com/perijove/perijove/lib/mp/mphost"
	"golang.org/x/sys/unix"
)

// A loadStep is one step by which code came into this process: an object, or
// packages that were replaced or initialized.
type loadStep struct {
	link.Request
	Importcfg  string   // where packages are from now on
	Packages   []string // to be loaded anew
	Renew      bool
	Initialize []string // packages that were loaded before
	Effects    bool     // Initialize runs code, which may have effects
	// First says which variables, loaded before, get their first values.
	First *control.Initial
}

// A worker is the state of this process.
type worker struct {
	dir            string // of the image
	linker         *link.Linker
	runtime        *goruntime.Runtime
	diverter       *divert.Diverter
	finalizerLoops map[string]finalizerLoop // by the function that they begin with
	conn           *control.Conn

	first   firstValues
	notices notices

	mu       sync.Mutex
	archives map[string]string // import path to compiled package
	base     bool              // the image's importcfg was read
	config   string            // importcfg file read last
	steps    []loadStep        // for children, which load the same objects
	// initialized lists the packages that were initialized since the last of loads.
	initialized loadStep

	pending control.Pending
	busy    atomic.Int64 // cells that were asked for and have not ended
	cell    atomic.Pointer[execution]
	orphans orphans

	memory memory

	cellLabels  celllabels.Labels
	outputPipes outputPipes

	goroutines  *goruntime.Goroutines // nil if the runtime cannot be looked into
	cellStart   atomic.Uintptr        // the function that cells' goroutines begin with
	contexts    contexts
	signals     signals
	processes   processes
	bars        *taskbars.Bars
	tasks       chan func() // to a goroutine that is no cell's: see start
	standbys    *standbys
	loading     sync.Mutex  // held while code is loaded or placed: loads tells the order
	fileReserve fileReserve // guarded by loading
}

// self is this process's worker: functions that cells call, and hooks that the
// runtime calls, have nowhere else to find it.
var self *worker

// Main runs the worker. Its first argument is the folder of its image, its
// second may limit its memory.
func Main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "this program is part of Perijove and is started by its kernel")
		os.Exit(2)
	}
	w, err := newWorker(os.Args[1])
	if err != nil {
		reexec(err, syscall.Exec)
		fmt.Fprintln(os.Stderr, "fatal error: the worker cannot begin:", err) // in the runtime's words, which the kernel knows
		exitNow(3)
	}
	self = w
	os.Unsetenv(attemptsVariable)
	if err := w.memory.begin(w.runtime, os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: the memory is not limited:", err)
	}
	os.Args = []string{"notebook"}
	if os.Getenv(standbyEnv) != "" {
		w.standBy()
	}
	if mphost.IsChild() {
		w.runChild()
	}
	err = w.serve()
	if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		// Written past package os, which would end this process, and it alone, if
		// the kernel is gone.
		_, _ = unix.Write(2, []byte("perijove worker: "+err.Error()+"\n"))
	}
	endGroup()
}

// attemptsVariable is the environment variable that counts how often a worker began.
const attemptsVariable = "PERIJOVE_WORKER_ATTEMPTS"

// reexec begins again in the same process, if what err says may be otherwise
// then. Since Go 1.26 the heap begins at a random address: once in some 50,000
// starts where loaded code has its place, which is the same in all workers of an
// image, so that children have the code where their parent has it.
func reexec(err error, exec func(path string, args, env []string) error) {
	n := os.Getenv(attemptsVariable)
	if !errors.Is(err, unix.EEXIST) || len(n) >= 5 {
		return
	}
	os.Setenv(attemptsVariable, n+"x")
	err = exec("/proc/self/exe", os.Args, os.Environ())
	fmt.Fprintln(os.Stderr, "perijove worker: cannot begin again:", err)
}

func newWorker(dir string) (*worker, error) {
	w := &worker{
		dir: dir, archives: map[string]string{},
		tasks: make(chan func()),
	}
	w.orphans.start, w.orphans.tryStop = w.spawn, w.tryStop
	w.fileReserve.fill()
	b, err := platform.MapFile(filepath.Join(dir, "symbols"))
	if err != nil {
		return nil, err
	}
	idx, err := symindex.Open(b)
	if err != nil {
		return nil, err
	}
	if w.runtime, err = goruntime.NewRuntime(idx); err != nil {
		return nil, err
	}
	if w.linker, err = link.New(w.runtime, archives{w}); err != nil {
		return nil, err
	}
	w.diverter = divert.NewDiverter(w.runtime, w.linker.Module())
	values.SetMapReader(w.readMap)
	return w, nil
}

// archives are the compiled packages: those in the files named by runs, newest
// first, then the image's. It implements link.Archives.
type archives struct{ *worker }

func (a archives) Archive(path string) (string, error) {
	all, err := a.All()
	if err != nil {
		return "", err
	}
	if f := all[path]; f != "" {
		return f, nil
	}
	return "", fmt.Errorf("package %s was not compiled for this notebook", path)
}

func (a archives) Has(path string) bool {
	all, err := a.All()
	return err == nil && all[path] != ""
}

// All returns a map that the linker, which alone changes it, may read until the
// next load.
func (a archives) All() (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.worker.archives, a.readConfig(a.imageConfig())
}

func (w *worker) imageConfig() string { return filepath.Join(w.dir, "importcfg") }

// readConfig learns where compiled packages are. The image's own come first:
// what another file says differently is another version.
func (w *worker) readConfig(file string) error {
	base := file == w.imageConfig()
	if file == "" || file == w.config || base && w.base {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		path, archive, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "packagefile "), "=")
		if !ok || w.archives[path] == archive {
			continue
		}
		if w.archives[path] != "" {
			w.linker.Replace(path)
		}
		w.archives[path] = archive
	}
	if base {
		w.base = true
	} else {
		w.config = file
	}
	return nil
}

// serve answers the kernel until it is gone.
func (w *worker) serve() error {
	for fd := control.FD; fd < control.FD+3; fd++ {
		syscall.CloseOnExec(fd) // the socket, and what package gonbui opens
	}
	// Through the runtime's poller: see connect in package supervisor.
	if err := syscall.SetNonblock(control.FD, true); err != nil {
		return errors.New("no control socket: this program is started by Perijove's kernel")
	}
	f := os.NewFile(control.FD, "control")
	if f == nil {
		return errors.New("no control socket: this program is started by Perijove's kernel")
	}
	w.conn = control.New(f)
	goexit1 = must(goruntime.Func[func()](w.runtime, "runtime.goexit1"))
	flag.CommandLine = flag.NewFlagSet("notebook", flag.ExitOnError) // without those of packages in the image
	w.installHooks()
	w.setHosts()
	mphost.Set(&host{w: w})
	if err := w.conn.Send(control.Ready{}); err != nil {
		return err
	}
	go w.runTasks()
	w.standbys = newStandbys(w)
	go w.standbys.run()
	runs := make(chan control.Message, 16)
	go w.runAll(runs)
	for {
		m, err := w.conn.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case control.Run:
			w.busy.Add(1)
			x := newExecution(m.Cell)
			x.id, x.anyPanicEnds = m.ID, m.EndsOnAnyPanic
			w.cell.Store(x) // an interrupt may come before it runs
			runs <- m
		case control.Setup, control.Reload, control.Drop, control.ListDropped:
			runs <- m
		case control.Interrupt:
			if w.busy.Load() == 0 {
				w.reportOrphans()
				continue
			}
			w.interrupt()
		case control.Comm:
			comm.Deliver(m.Message)
		case control.DropStandby:
			w.standbys.release()
		case control.Answer:
			w.pending.Answer(m.Sequence(), m)
		default:
			return fmt.Errorf("the kernel sent a %T", m)
		}
	}
}

// spawn runs f in a goroutine that is the worker's own. One that code of a cell
// starts would belong to the cell.
func (w *worker) spawn(f func()) { w.tasks <- f }

func (w *worker) runTasks() {
	for f := range w.tasks {
		go f()
	}
}

// ask sends a message, made for a sequence number, and waits for its answer.
func (w *worker) ask(message func(seq int) control.Message) (control.Answer, error) {
	return w.pending.Ask(w.conn, message)
}

// exitNow ends the process past the hook on os.Exit.
func exitNow(code int) {
	for {
		unix.Exit(code)
	}
}

// endGroup ends this process with everything it started that is still in its
// process group.
func endGroup() {
	_ = unix.Kill(0, unix.SIGKILL)
	exitNow(0)
}

// goexit1 is runtime.goexit1: it ends the goroutine without running its
// deferred functions.
var goexit1 func()

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal error: the worker cannot begin:", err) // in the runtime's words, which the kernel knows
		exitNow(3)
	}
	return v
}
