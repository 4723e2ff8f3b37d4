package memory

import (
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A Process is a process of a tree of processes, with its memory.
type Process struct {
	PID    int
	Name   string
	Bytes  int64 // private memory in bytes
	shared int64 // memory that it may share with other processes of the tree
	starts bool  // it was forked and has not executed its program yet
}

// A Usage is the memory of a tree of processes, in bytes. Memory that may be shared, such as an array of lib/mp,
// counts only once: as the maximum over the processes. If a Go program forks a process to start another program, the
// new process still shares the Go program's memory and does not count.
type Usage struct {
	Total     int64
	Processes []Process // the root process first
	Biggest   Process
}

// Tree measures a process and its descendants. root is the file system that contains proc. Tree takes about 40 µs for
// each process.
func Tree(root fs.FS, pid int) Usage {
	var u Usage
	shared := int64(0)
	seen := map[int]bool{}
	type child struct{ pid, parent int }
	for next := []child{{pid: pid}}; len(next) > 0; next = next[1:] {
		c := next[0]
		if seen[c.pid] {
			continue
		}
		seen[c.pid] = true
		p, ok := measure(root, c.pid)
		if !ok {
			continue
		}
		for _, n := range children(root, c.pid) {
			next = append(next, child{n, c.pid})
		}
		// Package syscall starts a program in a process that shares its parent's memory until
		// exec. This applies if the parent is the tree's root, which is a Go program, or another process of the same
		// program.
		if p.starts && c.pid != pid && (c.parent == pid || program(root, c.parent) == program(root, pid)) {
			continue
		}
		u.add(p)
		shared = max(shared, p.shared)
	}
	u.Total += shared
	return u
}

// Without returns the usage of the tree without one of its processes, and the private memory of that process in
// bytes. The process must not be the root.
func (u Usage) Without(pid int) (rest Usage, bytes int64) {
	shared := int64(0)
	for _, p := range u.Processes {
		if p.PID == pid {
			bytes = p.Bytes
			continue
		}
		rest.add(p)
		shared = max(shared, p.shared)
	}
	rest.Total += shared
	return rest, bytes
}

func (u *Usage) add(p Process) {
	u.Processes = append(u.Processes, p)
	u.Total += p.Bytes
	if p.Bytes+p.shared > u.Biggest.Bytes+u.Biggest.shared {
		u.Biggest = p
	}
}

// forkedNoExec is Linux's process flag PF_FORKNOEXEC: the process was forked and has not
// executed another program.
const forkedNoExec = 0x40

// program returns the file that a process executes, or a name with pid if that is unknown.
func program(root fs.FS, pid int) string {
	name := path.Join("proc", strconv.Itoa(pid), "exe")
	if to, err := fs.ReadLink(root, name); err == nil {
		return to
	}
	return name
}

// statFields returns the fields of /proc/PID/stat from the state on. The name before the
// state, in parentheses, may contain any character.
func statFields(root fs.FS, pid int) [][]byte {
	b, err := fs.ReadFile(root, path.Join("proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
}

func measure(root fs.FS, pid int) (Process, bool) {
	// Read the flag before the memory, since the process may execute its program in between.
	starts := false
	if f := statFields(root, pid); len(f) > 6 {
		flags, err := strconv.ParseUint(string(f[6]), 10, 64)
		starts = err == nil && flags&forkedNoExec != 0
	}
	b, err := fs.ReadFile(root, path.Join("proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return Process{}, false
	}
	text := string(b)
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "Name:"), "\n")
	return Process{
		PID: pid, Name: strings.TrimSpace(name),
		Bytes: field(text, "RssAnon:") + field(text, "VmSwap:"), shared: field(text, "RssShmem:"), starts: starts,
	}, true
}

// children lists the child processes of the threads of pid. If the system has no file with
// that list, children checks the parent of every process.
func children(root fs.FS, pid int) []int {
	dir := path.Join("proc", strconv.Itoa(pid), "task")
	tasks, err := fs.ReadDir(root, dir)
	if err != nil {
		return nil
	}
	var list []int
	for i, t := range tasks {
		b, err := fs.ReadFile(root, path.Join(dir, t.Name(), "children"))
		if err != nil && i == 0 {
			return childrenByParent(root, pid)
		}
		for _, f := range bytes.Fields(b) {
			if n, err := strconv.Atoi(string(f)); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

func childrenByParent(root fs.FS, pid int) []int {
	all, err := fs.ReadDir(root, "proc")
	if err != nil {
		return nil
	}
	var list []int
	for _, e := range all {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		f := statFields(root, n)
		if len(f) > 1 && string(f[1]) == strconv.Itoa(pid) {
			list = append(list, n)
		}
	}
	return list
}

// Available returns the memory of the machine that is available without swapping, and its total memory, in bytes. A
// value is 0 if it cannot be read.
func Available(root fs.FS) (free, total int64) {
	b, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, 0
	}
	return field(string(b), "MemAvailable:"), field(string(b), "MemTotal:")
}
