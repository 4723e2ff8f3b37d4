package worker

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/divert"
	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/platform"
	"github.com/perijove/perijove/kernel/internal/plotfonts"
	"github.com/perijove/perijove/kernel/internal/racememory"
	"github.com/perijove/perijove/kernel/internal/standby"
	"github.com/perijove/perijove/kernel/internal/symindex"
	"github.com/perijove/perijove/lib/comm"
	"github.com/perijove/perijove/lib/display/values"
	_ "github.com/perijove/perijove/lib/mp" // the worker process is its host; see setHosts and host
	"github.com/perijove/perijove/lib/mp/mphost"
	"golang.org/x/sys/unix"
)

// Main is the main function of the worker process. The first argument of the process is the folder of its image. A
// further argument may limit its memory (see control.MemoryFlag).
func Main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "this program is part of Perijove, and only Perijove's kernel can start it")
		os.Exit(2)
	}
	w, err := newWorker(os.Args[1])
	if err != nil {
		reexec(err, syscall.Exec)
		fmt.Fprintln(os.Stderr, "fatal error: the process that runs the cells cannot start:", err) // the kernel looks for this prefix, which is that of the runtime
		exitNow(3)
	}
	self = w
	os.Unsetenv(attemptsVariable)
	if err := w.memory.Begin(w.runtime, os.Args[2:], w.noteProcess); err != nil {
		fmt.Fprintln(os.Stderr, "perijove worker: the memory cannot be limited:", err)
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
		// The text is written without package os: if the kernel has ended, package os would end only this process, not
		// its group.
		_, _ = unix.Write(2, []byte("perijove worker: "+err.Error()+"\n"))
	}
	endGroup()
}

func newWorker(dir string) (*worker, error) {
	w := &worker{dir: dir, tasks: make(chan func())}
	w.archives.image = filepath.Join(dir, "importcfg")
	w.archives.replace = func(path string) { w.linker.Replace(path) }
	w.pendingStops.start, w.pendingStops.tryStop = w.spawn, w.tryStop
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
	if w.linker, err = link.New(w.runtime, &w.archives); err != nil {
		return nil, err
	}
	if err := racememory.Register(w.runtime, w.linker.Module().DataEnd()); err != nil {
		return nil, err
	}
	w.diverter = divert.NewDiverter(w.runtime, w.linker.Module())
	values.SetMapReader(w.readMap)
	return w, nil
}

// serve handles messages of the kernel until the connection ends.
func (w *worker) serve() error {
	for fd := control.FD; fd < control.FD+3; fd++ {
		syscall.CloseOnExec(fd) // the socket, and the next two descriptors, which package gonbui opens
	}
	// Use the runtime's poller: see connect in package supervisor.
	if err := syscall.SetNonblock(control.FD, true); err != nil {
		return errors.New("there is no socket to the kernel: only Perijove's kernel can start this program")
	}
	f := os.NewFile(control.FD, "control")
	if f == nil {
		return errors.New("there is no socket to the kernel: only Perijove's kernel can start this program")
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
	go func() {
		releaseStart()
		w.runAll(runs)
	}()
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
			w.cell.Store(x) // an interrupt may arrive before the cell runs
			runs <- m
		case control.Setup, control.Reload, control.Drop, control.ListDropped, control.ListGoroutines:
			runs <- m
		case control.Interrupt:
			if w.busy.Load() == 0 {
				w.reportPendingStops()
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
			return fmt.Errorf("the kernel sent a message of the unexpected type %T", m)
		}
	}
}

// releaseStart frees the memory that only the start needed. It must be called before code of cells runs, since such
// code may change mappings. After an error, the memory stays in use.
func releaseStart() {
	_ = plotfonts.Release()
	_ = platform.ReleaseFilePages()
}

// reportPendingStops answers an interrupt while no cell runs.
func (w *worker) reportPendingStops() {
	if err := w.conn.Send(control.PendingStops{Count: w.pendingStops.count()}); err != nil {
		endGroup()
	}
}
