package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// openFiles counts the file descriptors of a process.
func openFiles(pid int) int {
	list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(list)
}

// residentBytes returns the resident memory of a process without file mappings, in bytes.
func residentBytes(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	sum := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && (fields[0] == "RssAnon:" || fields[0] == "RssShmem:") {
			kb, _ := strconv.Atoi(fields[1])
			sum += kb << 10
		}
	}
	return sum
}

// A processStat is an entry of the process table.
type processStat struct {
	pid, parent int
	name        string
	zombie      bool
}

func processTable() []processStat {
	var list []processStat
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		var p processStat
		open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		var state string
		fmt.Sscan(string(text[:open]), &p.pid)
		fmt.Sscan(string(text[end+1:]), &state, &p.parent)
		p.name, p.zombie = string(text[open+1:end]), state == "Z"
		list = append(list, p)
	}
	return list
}

// descendants lists the descendants of a process.
func descendants(pid int) []processStat {
	table := processTable()
	var list []processStat
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, p := range table {
			if p.parent == queue[0] {
				list = append(list, p)
				queue = append(queue, p.pid)
			}
		}
	}
	return list
}
