// Package procfs reads processor times and memory of the machine and of its
// processes from Linux's proc file system. The parameter root of its functions is the
// file system that contains proc. On other systems than Linux the functions find
// nothing.
//
// Source: proc_stat(5) and proc_pid_stat(5).
package procfs

import (
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// TicksPerSecond is the number of ticks, the unit of all times, in a second: USER_HZ.
// It is 100 on every architecture that Go supports on Linux.
const TicksPerSecond = 100

// Times are the processor times of the machine since it started, in ticks.
type Times struct {
	Busy  int64 // all except idle and iowait
	Total int64
}

// Machine returns the processor times of the machine. It returns false if it cannot
// read them.
func Machine(root fs.FS) (Times, bool) {
	data, err := fs.ReadFile(root, "proc/stat")
	if err != nil {
		return Times{}, false
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	fields := strings.Fields(string(line))
	// Fields 9 and 10, the times of guests, are already included in user and nice.
	const idle, iowait, steal = 4, 5, 8
	if len(fields) <= steal || fields[0] != "cpu" {
		return Times{}, false
	}
	var t Times
	for i, f := range fields[:steal+1] {
		if i == 0 {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return Times{}, false
		}
		t.Total += n
		if i != idle && i != iowait {
			t.Busy += n
		}
	}
	return t, true
}

// A Process is the state of a process at the time when it was read.
type Process struct {
	PID, Parent int
	Ticks       int64 // processor time of the process
	ChildTicks  int64 // processor time of its children that have been waited for
	Pages       int64 // resident memory, in pages
}

// Processes returns all processes that it can read. It omits processes that end
// meanwhile.
func Processes(root fs.FS) []Process {
	names, err := fs.Glob(root, "proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var list []Process
	for _, name := range names {
		pid, err := strconv.Atoi(path.Base(path.Dir(name)))
		if err != nil {
			continue
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		if p, ok := parseStat(data); ok {
			p.PID = pid
			list = append(list, p)
		}
	}
	return list
}

// parseStat parses proc/PID/stat. The command in parentheses may contain spaces and
// parentheses, so parseStat counts the fields after the last parenthesis.
func parseStat(data []byte) (p Process, ok bool) {
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const ppid, utime, stime, cutime, cstime, rss = 1, 11, 12, 13, 14, 21
	if len(fields) <= rss {
		return Process{}, false
	}
	number := func(i int) int64 {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		ok = ok && err == nil
		return n
	}
	ok = true
	p = Process{
		Parent: int(number(ppid)), Ticks: number(utime) + number(stime),
		ChildTicks: number(cutime) + number(cstime), Pages: number(rss),
	}
	return p, ok
}

// Tree returns the process pid and its descendants.
func Tree(all []Process, pid int) []Process {
	byPID, children := map[int]Process{}, map[int][]int{}
	for _, p := range all {
		byPID[p.PID] = p
		children[p.Parent] = append(children[p.Parent], p.PID)
	}
	var tree []Process
	seen := map[int]bool{} // a reused process ID may cause a cycle
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		p, ok := byPID[queue[0]]
		if !ok || seen[p.PID] {
			continue
		}
		seen[p.PID] = true
		tree = append(tree, p)
		queue = append(queue, children[p.PID]...)
	}
	return tree
}
