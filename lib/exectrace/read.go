package exectrace

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ManifestName is the name of the file that lists the traces in a folder.
const ManifestName = "manifest.json"

// A manifest is the content of the file ManifestName; package mp writes it.
type manifest struct {
	Version   int
	Go        string
	Command   string
	Module    string
	Notebook  bool
	Cores     int
	Processes []struct {
		PID, Parent int
		File        string
		First       bool
		Complete    bool
		Problem     string
	}
}

// maxEvents is how many events are read from all files together: the model of two million
// events takes about 400 MB. Tests lower it.
var maxEvents = 2_000_000

// Read reads the recording in a folder that mp.Trace has written. A file that is damaged
// or incomplete, such as the file of a child that was killed, is read as far as possible;
// Trace.Problems says what is missing. Of a long recording, Read reads the first two million
// events, divided evenly among the files.
func Read(folder string) (*Trace, error) {
	b, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("exectrace: the folder %s has no recording of mp.Trace: %w", folder, err)
	}
	if err != nil {
		return nil, fmt.Errorf("exectrace: cannot read the manifest of the recording in %s: %w", folder, err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil || m.Version != 1 {
		return nil, fmt.Errorf("exectrace: cannot read %s as a manifest of mp.Trace of version 1: %w", filepath.Join(folder, ManifestName), cmp.Or(err, fmt.Errorf("the manifest has version %d", m.Version)))
	}
	t := &Trace{Folder: folder, Command: m.Command, Go: m.Go, Cores: m.Cores}
	merge := newMerger(t)
	for _, entry := range m.Processes {
		p := &Process{PID: entry.PID, Parent: entry.Parent, File: filepath.Join(folder, entry.File), First: entry.First, Problem: entry.Problem}
		f := newFileReader(p, code{module: m.Module, notebook: m.Notebook}, maxEvents/len(m.Processes))
		err := f.read()
		if entry.First && err != nil {
			return nil, fmt.Errorf("exectrace: cannot read the trace of the first process: %w", err)
		}
		if err != nil && p.Problem == "" {
			p.Problem = "its trace is incomplete"
		}
		t.Events += f.events
		t.Processes = append(t.Processes, p)
		merge.files = append(merge.files, f)
	}
	if len(t.Processes) == 0 {
		return nil, fmt.Errorf("exectrace: the manifest in %s lists no process", folder)
	}
	merge.merge()
	return t, nil
}

// code distinguishes the user's code from the standard library, package mp and other
// packages.
type code struct {
	module   string // the program's main module
	notebook bool   // package main has the cells, and function main of the worker process
}

// ownModule is the module of package mp and of a notebook's worker process.
const ownModule = "github.com/perijove/perijove"

// packageOf returns the import path of a function's package. Function names escape dots
// after the last slash of the path.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if bracket := strings.IndexByte(function, '['); bracket >= 0 && bracket < slash { // type arguments
		slash = strings.LastIndexByte(function[:bracket], '/') + 1
	}
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		return function[:slash+dot]
	}
	return function
}

func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// isUser reports whether a function belongs to the user's program: to package main or to
// the main module. Lines of other modules are shown as the line that calls them.
func (c code) isUser(function string) bool {
	switch path := packageOf(function); {
	case path == "main":
		return !c.notebook || function != "main.main"
	case c.module == "" || c.module == ownModule:
		return false
	default:
		return within(path, c.module)
	}
}

// isLibrary reports whether a function belongs to package mp or to a notebook's worker
// process.
func (c code) isLibrary(function string) bool {
	return within(packageOf(function), ownModule)
}

// isStandard reports whether a function belongs to the standard library: by the rule of
// the go command, the first element of its import path has no dot.
func (c code) isStandard(function string) bool {
	path := packageOf(function)
	if path == "main" || c.module != "" && within(path, c.module) {
		return false
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !strings.Contains(first, "%2e")
}

// clip returns a time within the trace.
func clip(at, length time.Duration) time.Duration { return min(max(at, 0), length) }
