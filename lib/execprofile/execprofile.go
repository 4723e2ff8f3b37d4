// Package execprofile profiles a function, and the child processes of package mp that run while the function
// runs. The result is one Profile of package github.com/google/pprof/profile, whose samples have the label
// "process".
package execprofile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/perijove/perijove/lib/mp/mphost"
)

// Label is the key of the label that names the process of a sample.
const Label = "process"

// A Recording is a profile of one or more processes.
type Recording struct {
	Kind      string           // cpu, mem, block, mutex or goroutine
	Profile   *profile.Profile // merged profile of all processes
	Processes []Process        // the process that called Record comes first
}

// A Process is one of the processes of a Recording.
type Process struct {
	PID     int
	First   bool   // whether this is the process that called Record
	Problem string // why its samples are missing, or ""
}

// Name returns the value of Label for the process.
func (p Process) Name() string {
	if p.First {
		return "process " + strconv.Itoa(p.PID)
	}
	return "child " + strconv.Itoa(p.PID)
}

// Record calls f, and meanwhile profiles this process and the children of package mp that are started or get tasks.
// Kind is cpu, mem, block, mutex or goroutine. Record makes folder, removes the files of an earlier profile from it,
// and writes one file per process into it. Read reads the folder.
//
// The profile of a child that is killed, or that calls os.Exit, is lost. Record returns
// the error of f. If f succeeds, Record returns the error of writing the profile. If the
// folder cannot be written, or this process is already being profiled, Record returns an
// error and does not call f. The profile also ends if f panics or calls runtime.Goexit.
func Record(folder, kind string, f func() error) (err error) {
	if err := mphost.StartProfile(folder, kind); err != nil {
		return err
	}
	defer func() {
		if e := mphost.StopProfile(); err == nil {
			err = e
		}
	}()
	return f()
}

// Read reads the profile in a folder that Record has written.
func Read(folder string) (*Recording, error) {
	kind, err := os.ReadFile(filepath.Join(folder, "kind"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("execprofile: the folder %s has no profile that Record has written: %w", folder, err)
	}
	if err != nil {
		return nil, fmt.Errorf("execprofile: cannot read the kind of the profile in %s: %w", folder, err)
	}
	r := &Recording{Kind: string(kind)}
	if r.Processes, err = processes(folder); err != nil {
		return nil, fmt.Errorf("execprofile: cannot list the processes of the profile in %s: %w", folder, err)
	}
	var all []*profile.Profile
	for i := range r.Processes {
		p := &r.Processes[i]
		one, err := p.read(folder)
		switch {
		case err == nil:
			all = append(all, one)
		case p.First:
			return nil, fmt.Errorf("execprofile: cannot read the profile of the first process: %w", err)
		case p.Problem == "":
			p.Problem = err.Error()
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("execprofile: the folder %s has no profile of any process", folder)
	}
	if r.Profile, err = profile.Merge(all); err != nil {
		return nil, fmt.Errorf("execprofile: cannot merge the profiles of %d processes: %w", len(all), err)
	}
	return r, nil
}

// processes lists the processes that have files in a folder.
func processes(folder string) (list []Process, err error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	at := map[int]int{}
	var told []int
	for _, f := range files {
		name, isProcess := strings.CutPrefix(f.Name(), "process-")
		number, kind, _ := strings.Cut(name, ".")
		pid, err := strconv.Atoi(number)
		if !isProcess || err != nil {
			continue
		}
		if _, ok := at[pid]; !ok {
			at[pid] = len(list)
			list = append(list, Process{PID: pid})
		}
		if kind == "told" {
			told = append(told, pid)
		}
	}
	for i := range list {
		list[i].First = !slices.Contains(told, list[i].PID)
	}
	slices.SortFunc(list, func(a, b Process) int {
		if a.First != b.First {
			return map[bool]int{true: -1, false: 1}[a.First]
		}
		return a.PID - b.PID
	})
	return list, nil
}

// read reads the profile of a process, subtracts the counts from before the profile, and labels the
// samples.
func (p *Process) read(folder string) (*profile.Profile, error) {
	name := filepath.Join(folder, fmt.Sprintf("process-%d.", p.PID))
	if text, err := os.ReadFile(name + "problem"); err == nil {
		p.Problem = string(text)
		return nil, errors.New(p.Problem)
	}
	one, err := parse(name + "profile")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the process ended before it wrote its profile")
	}
	if err != nil {
		return nil, err
	}
	base, err := parse(name + "before")
	if err == nil {
		base.Scale(-1)
		one, err = profile.Merge([]*profile.Profile{one, base})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	one.SetLabel(Label, []string{p.Name()})
	return one, nil
}

func parse(name string) (*profile.Profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return profile.Parse(f)
}
