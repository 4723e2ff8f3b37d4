// Package profiling runs the profilers of runtime/pprof in this process and its children.
// Each process writes its files into one folder; package execprofile merges them.
package profiling

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The files in a folder: one stopName and one kindName, and the other files for each
// process to which they apply. If a child has a toldName file, but neither a profileName
// nor a problemName file, it ended before it wrote its profile.
const (
	stopName    = "stopped" // tells children to write their profiles
	kindName    = "kind"    // has the kind of the profile
	toldName    = "process-%d.told"
	beforeName  = "process-%d.before" // the runtime's counts before the profile began
	profileName = "process-%d.profile"
	problemName = "process-%d.problem" // why there is no profile
)

const (
	watchInterval = 10 * time.Millisecond
	// stopTimeout is how long Stop waits for the files of the children. It is long: usually only a
	// suspended child takes longer.
	stopTimeout = 10 * time.Second
)

// recorder is the profile of this process. A process has at most one.
var recorder struct {
	folder atomic.Pointer[string] // where this process profiles; nil if it does not
	mu     sync.Mutex             // guards the fields below
	run    *run
	first  bool
	told   map[int]<-chan struct{} // children that were told to profile; their channels are closed when they end
}

// ErrProfiling is the error of Start if this process has a profile already.
var ErrProfiling = errors.New("mp: cannot start a profile: this process is already being profiled; end the other profile first")

// Folder returns the folder into which this process writes its profile, or nil. The pointers of
// two profiles differ, even if both use the same folder.
func Folder() *string { return recorder.folder.Load() }

// Start begins a profile of this process, and of the children that it starts or sends tasks
// to. The processes write their files into folder, which Start makes. kind is one of Kinds.
func Start(folder, kind string) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("mp: %q is not a kind of profile: use one of %s", kind, strings.Join(Kinds(), ", "))
	}
	if Folder() != nil {
		return ErrProfiling
	}
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = clearFolder(folder)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, kindName), []byte(kind), 0o666)
	}
	if err != nil {
		return failed(err)
	}
	return start(folder, kind, true)
}

func failed(err error) error {
	return fmt.Errorf("mp: cannot write the profile of this process: %w", err)
}

func start(folder, kind string, isFirst bool) error {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run != nil {
		return ErrProfiling
	}
	run, err := begin(folder, kind)
	if err != nil {
		return failed(err)
	}
	r.run, r.first, r.told = run, isFirst, map[int]<-chan struct{}{}
	r.folder.Store(&folder)
	return nil
}

// StartChild begins the profile of this process, which is a child, unless the process that
// called Start has called Stop. If the profile cannot begin, StartChild notes the problem in
// the folder, since a task must not fail for this reason.
func StartChild(folder string) {
	kind, err := os.ReadFile(filepath.Join(folder, kindName))
	if err != nil || isStopped(folder) {
		_ = os.Remove(path(folder, toldName, os.Getpid()))
		return
	}
	if err := start(folder, string(kind), false); err != nil {
		_ = os.WriteFile(path(folder, problemName, os.Getpid()), []byte(err.Error()), 0o666)
		return
	}
	go watch(Folder())
}

func isStopped(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, stopName))
	return err == nil
}

// watch writes the profile of a child when the first process has ended its own.
func watch(folder *string) {
	for Folder() == folder {
		time.Sleep(watchInterval)
		if isStopped(*folder) {
			_ = Stop()
			return
		}
	}
}

// Expect notes that this process is about to tell a child to profile itself. gone is closed when
// the child has ended.
func Expect(pid int, gone <-chan struct{}) {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return
	}
	r.told[pid] = gone
	_ = os.WriteFile(path(r.run.folder, toldName, pid), nil, 0o666)
}

// Stop writes the profile of this process. In the process that called Start, it also makes the
// children write their profiles. Then it waits for the files of its children. Without a profile
// it does nothing.
func Stop() error {
	r := &recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return nil
	}
	run := r.run
	r.folder.Store(nil)
	err := run.stop()
	if r.first {
		err = cmp.Or(err, os.WriteFile(filepath.Join(run.folder, stopName), nil, 0o666))
	}
	awaitChildren(run.folder, r.told)
	if err == nil {
		err = run.publish()
	}
	r.run, r.told = nil, nil
	if err != nil {
		err = failed(err)
		_ = os.WriteFile(path(run.folder, problemName, os.Getpid()), []byte(err.Error()), 0o666)
	}
	return err
}

// awaitChildren waits until the children have written their files or have ended.
func awaitChildren(folder string, told map[int]<-chan struct{}) {
	deadline := time.Now().Add(stopTimeout)
	for pid, gone := range told {
		for time.Now().Before(deadline) && !hasAnswered(folder, pid) {
			select {
			case <-gone:
			case <-time.After(time.Millisecond):
				continue
			}
			break
		}
	}
}

// hasAnswered reports whether a child has written its profile or a problem, or was told to
// profile too late and has removed its told file.
func hasAnswered(folder string, pid int) bool {
	for _, name := range []string{profileName, problemName} {
		if _, err := os.Stat(path(folder, name, pid)); err == nil {
			return true
		}
	}
	_, err := os.Stat(path(folder, toldName, pid))
	return errors.Is(err, fs.ErrNotExist)
}

func path(folder, format string, pid int) string {
	return filepath.Join(folder, fmt.Sprintf(format, pid))
}

// clearFolder makes a folder, and removes the files of an earlier profile from it.
func clearFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		name, isProcess := strings.CutPrefix(f.Name(), "process-")
		number, _, _ := strings.Cut(name, ".")
		if _, err := strconv.Atoi(number); name != stopName && name != kindName && (!isProcess || err != nil) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
