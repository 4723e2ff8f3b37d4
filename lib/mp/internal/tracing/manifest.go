package tracing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ManifestName is the name of the manifest in a folder of traces.
const ManifestName = "manifest.json"

// A Manifest describes the traces in a folder.
type Manifest struct {
	Version   int       `json:"version"` // version of this format: 1
	Go        string    `json:"go"`
	Command   string    `json:"command"`
	Module    string    `json:"module,omitempty"`   // the path of the program's main module
	Notebook  bool      `json:"notebook,omitempty"` // whether the program is the worker process of a notebook
	Cores     int       `json:"cores"`
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	Processes []Info    `json:"processes"` // the process that began the recording comes first
}

// An Info describes the trace of one process.
type Info struct {
	PID      int    `json:"pid"`
	Parent   int    `json:"parent"`
	File     string `json:"file"`              // name of the trace in the manifest's folder
	First    bool   `json:"first,omitempty"`   // whether this process began the recording
	Complete bool   `json:"complete"`          // whether the file has all events
	Problem  string `json:"problem,omitempty"` // if Complete is false, why events are missing

	Began time.Time `json:"began"`
}

func newInfo(isFirst bool) Info {
	pid := os.Getpid()
	return Info{PID: pid, Parent: os.Getppid(), File: fileName(pid), First: isFirst, Began: time.Now()}
}

func fileName(pid int) string { return "process-" + strconv.Itoa(pid) + ".trace" }
func infoName(pid int) string { return "process-" + strconv.Itoa(pid) + ".json" }

// write writes the description into the folder atomically: readers see the old or the new
// one.
func (i Info) write(folder string) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, infoName(i.PID))
	if err := os.WriteFile(name+".new", b, 0o666); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func readInfo(folder string, pid int) (i Info, err error) {
	b, err := os.ReadFile(filepath.Join(folder, infoName(pid)))
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	return i, err
}

// writeManifest writes the manifest, in place of the descriptions of the processes.
func writeManifest(folder string, first Info, awaits map[int]<-chan struct{}) error {
	m := Manifest{Version: 1, Go: runtime.Version(), Command: filepath.Base(os.Args[0]), Notebook: recorder.notebook, Cores: runtime.NumCPU(), Began: first.Began, Ended: time.Now()}
	if b, ok := debug.ReadBuildInfo(); ok {
		m.Module = b.Main.Path
	}
	pids, err := recordedProcesses(folder, awaits)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		i, err := readInfo(folder, pid)
		if err != nil {
			i = Info{PID: pid, Parent: first.PID, File: fileName(pid), Problem: "the process ended before it began its trace"}
		} else if i.Complete {
			i.Problem = ""
		}
		m.Processes = append(m.Processes, i)
	}
	slices.SortStableFunc(m.Processes, func(a, b Info) int {
		if a.First != b.First {
			return map[bool]int{true: -1, false: 1}[a.First]
		}
		return a.Began.Compare(b.Began)
	})
	b, err := json.MarshalIndent(m, "", "\t")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, ManifestName), append(b, '\n'), 0o666)
	}
	for _, pid := range pids {
		_ = os.Remove(filepath.Join(folder, infoName(pid)))
	}
	return err
}

// recordedProcesses returns the processes that have written a file, or were told to.
func recordedProcesses(folder string, awaits map[int]<-chan struct{}) (pids []int, err error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for pid := range awaits {
		pids = append(pids, pid)
	}
	for _, f := range files {
		name, isInfo := strings.CutSuffix(f.Name(), ".json")
		name, isProcess := strings.CutPrefix(name, "process-")
		if pid, err := strconv.Atoi(name); isInfo && isProcess && err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// Clear makes a folder for a recording, and removes the files of an earlier one from it.
func Clear(folder string) error {
	if err := clearFolder(folder); err != nil {
		return fmt.Errorf("mp: cannot record a trace in the folder %s: %w", folder, err)
	}
	return nil
}

func clearFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := f.Name()
		if name != ManifestName && name != stopName && !strings.HasPrefix(name, "process-") {
			continue
		}
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
