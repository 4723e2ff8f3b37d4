// Package worker implements the process that holds a notebook's state: it links the
// cells' compiled code into itself and runs it. It communicates with the kernel over
// a control socket; standard output and error go to the kernel through pipes.
//
// A cell may crash the process. The kernel then starts another one.
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
	"github.com/perijove/perijove/kernel/internal/cellprocesses"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/memorylimit"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/standby"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/kernel/internal/taskbars"
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display/values"
	_ "github.com/perijove/perijove/lib/mp" // setHosts and host serve it
	"github.com/perijove/perijove/lib/mp/mphost"
	"golang.org/x/sys/unix"
)

// A loadStep is one change of the code of this process, which children repeat: an object that was loaded, or
// packages that were replaced or initialized.
type loadStep struct {
	link.Request
	Importcfg  string   // file with the archives of packages from now on
	Packages   []string // packages to reload
	Renew      bool     // see link.Linker.Reload
	Initialize []string // loaded packages to initialize
	Effects    bool     // Initialize runs code, which may have effects
	// First describes the loaded variables that get their first values.
	First *control.Initial
}

// A worker is the state of this process.
type worker struct {
	dir            string // folder of the image
	linker         *link.Linker
	runtime        *goruntime.Runtime
	diverter       *divert.Diverter
	finalizerLoops goruntime.FinalizerLoops
	conn           *control.Conn

	first   firstValues
	notices notices

	mu       sync.Mutex
	archives map[string]string // archives of compiled packages, by import path
	base     bool              // the image's importcfg was read
	config   string            // the importcfg file that was read last
	steps    []loadStep        // steps that children repeat
	// initialized lists the packages that were initialized since the last of steps.
	initialized loadStep

	pending control.Pending
	busy    atomic.Int64 // number of requested cells that have not ended
	cell    atomic.Pointer[execution]
	orphans orphans

	memory memorylimit.Limit

	cellLabels  celllabels.Labels
	outputPipes outputPipes

	goroutines  *goruntime.Goroutines // nil if the layout of the runtime is not the expected one
	cellStart   atomic.Uintptr        // the function that cells' goroutines begin with
	contexts    contexts
	signals     goruntime.Signals
	processes   cellprocesses.List
	bars        *taskbars.Bars
	tasks       chan func() // to runTasks, whose goroutine belongs to no cell; see spawn
	standbys    *standby.Manager
	loading     sync.Mutex  // held while code is loaded or added, so that steps has the same order
	fileReserve fileReserve // guarded by loading
}

// self is the worker of this process. It is a package variable, since functions that cells call and hooks that the
// runtime calls cannot get it as an argument.
var self *worker

// Main runs the worker. The first argument of the process is the folder of its image; further ones may
// limit its memory (see memorylimit.Flag).
func Main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "this program is part of Perijove and is started by its kernel")
		os.Exit(2)
	}
	w, err := newWorker(os.Args[1])
	if err != nil {
		reexec(err, syscall.Exec)
		fmt.Fprintln(os.Stderr, "fatal error: the worker cannot begin:", err) // with the prefix of the runtime, which the kernel looks for
		exitNow(3)
	}
	self = w
	os.Unsetenv(attemptsVariable)
	if err := w.memory.Begin(w.runtime, os.Args[2:], w.noteProcess); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: the memory is not limited:", err)
	}
	os.Args = []string{"notebook"}
	if standby.Wanted() {
		w.runStandby()
	}
	if mphost.IsChild() {
		w.runChild()
	}
	err = w.serve()
	if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		// Written without package os, which would end only this process if
		// the kernel has ended.
		_, _ = unix.Write(2, []byte("perijove worker: "+err.Error()+"\n"))
	}
	endGroup()
}

// attemptsVariable is the environment variable that counts how often reexec has executed the worker again.
const attemptsVariable = "PERIJOVE_WORKER_ATTEMPTS"

// reexec executes the worker again in the same process, if err says that an address range for loaded code is in
// use. Since Go 1.26 the heap begins at a random address. About once in 50,000
// starts it is in that range. The range must be the same in all workers of an
// image, so that children have code at the same addresses as their parent. reexec returns after five attempts, or for
// other errors.
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

// archives finds compiled packages: those in the importcfg files of cells, the newest first, and those of the image. It implements
// link.Archives.
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

// All returns the archives by import path. The linker may read the map until the
// next load, and must not change it.
func (a archives) All() (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.worker.archives, a.readConfig(a.imageConfig())
}

func (w *worker) imageConfig() string { return filepath.Join(w.dir, "importcfg") }

// readConfig reads the archives of compiled packages from an importcfg file. The file of the image must be read
// first: if a later file has another archive for a package, that is another version.
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

// serve handles messages of the kernel until the connection ends.
func (w *worker) serve() error {
	for fd := control.FD; fd < control.FD+3; fd++ {
		syscall.CloseOnExec(fd) // the socket, and the next two descriptors, which package gonbui opens
	}
	// Use the runtime's poller: see connect in package supervisor.
	if err := syscall.SetNonblock(control.FD, true); err != nil {
		return errors.New("no control socket: this program is started by Perijove's kernel")
	}
	f := os.NewFile(control.FD, "control")
	if f == nil {
		return errors.New("no control socket: this program is started by Perijove's kernel")
	}
	w.conn = control.New(f)
	goexit1 = must(goruntime.Func[func()](w.runtime, "runtime.goexit1"))
	flag.CommandLine = flag.NewFlagSet("notebook", flag.ExitOnError) // without the flags of packages in the image
	w.installHooks()
	w.setHosts()
	mphost.Set(&host{w: w})
	if err := w.conn.Send(control.Ready{}); err != nil {
		return err
	}
	go w.runTasks()
	w.standbys = standby.NewManager(standbyHost{w})
	go w.standbys.Run()
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
			w.standbys.Release()
		case control.Answer:
			w.pending.Answer(m.Sequence(), m)
		default:
			return fmt.Errorf("the kernel sent a %T", m)
		}
	}
}

// spawn runs f in a new goroutine of the worker. A goroutine that is started by code of a cell
// would inherit the labels of the cell and belong to it.
func (w *worker) spawn(f func()) { w.tasks <- f }

func (w *worker) runTasks() {
	for f := range w.tasks {
		go f()
	}
}

// ask sends the message that message returns for a new sequence number, and waits for its answer.
func (w *worker) ask(message func(seq int) control.Message) (control.Answer, error) {
	return w.pending.Ask(w.conn, message)
}

// exitNow ends the process without os.Exit, which is hooked.
func exitNow(code int) {
	for {
		unix.Exit(code)
	}
}

// endGroup kills this process and all processes in its
// process group, which it has started.
func endGroup() {
	_ = unix.Kill(0, unix.SIGKILL)
	exitNow(0)
}

// goexit1 is runtime.goexit1: it ends the calling goroutine without running its
// deferred functions.
var goexit1 func()

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal error: the worker cannot begin:", err) // with the prefix of the runtime, which the kernel looks for
		exitNow(3)
	}
	return v
}
