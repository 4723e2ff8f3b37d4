package memory

import (
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A Process is one of a tree.
type Process struct {
	PID    int
	Name   string
	Bytes  int64 // memory of its own
	shared int64 // memory that it may share with others of the tree
}

// A Usage is what a tree of processes uses. Memory that several share, such as
// an array of lib/mp, counts once, as much as the one that has most of it.
type Usage struct {
	Total     int64
	Processes []Process // the root first
	Biggest   Process
}

// Tree measures a process and all that descend from it. root is the file
// system that has proc. It costs some 30 µs for each process.
func Tree(root fs.FS, pid int) Usage {
	var u Usage
	shared := int64(0)
	seen := map[int]bool{}
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		if seen[next[0]] {
			continue
		}
		seen[next[0]] = true
		p, ok := measure(root, next[0])
		if !ok {
			continue
		}
		u.Processes = append(u.Processes, p)
		u.Total += p.Bytes
		shared = max(shared, p.shared)
		if p.Bytes+p.shared > u.Biggest.Bytes+u.Biggest.shared {
			u.Biggest = p
		}
		next = append(next, children(root, next[0])...)
	}
	u.Total += shared
	return u
}

func measure(root fs.FS, pid int) (Process, bool) {
	b, err := fs.ReadFile(root, path.Join("proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return Process{}, false
	}
	text := string(b)
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "Name:"), "\n")
	return Process{
		PID: pid, Name: strings.TrimSpace(name),
		Bytes: field(text, "RssAnon:") + field(text, "VmSwap:"), shared: field(text, "RssShmem:"),
	}, true
}

// children lists the processes that the threads of pid started. Kernels
// without the file for that are asked for the parent of every process.
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
		b, err := fs.ReadFile(root, path.Join("proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// The name, in parentheses, may hold anything; then come state and parent.
		f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		if len(f) > 1 && string(f[1]) == strconv.Itoa(pid) {
			list = append(list, n)
		}
	}
	return list
}

// Available returns how much memory the machine can still give without
// swapping, and how much it has; 0 if that cannot be read.
func Available(root fs.FS) (free, total int64) {
	b, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, 0
	}
	return field(string(b), "MemAvailable:"), field(string(b), "MemTotal:")
}
