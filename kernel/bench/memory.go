package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// idleTime is how long the kernel is idle before its memory is measured again.
const idleTime = 30 * time.Second

// memory measures the memory of an idle kernel with its worker process and compilers, and its
// growth.
func memory(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	k, err := startKernel(ctx, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	time.Sleep(2 * time.Second) // until the worker process and the compilers for the first cell have started, and the kernel has freed what only the start needed
	if err := k.memoryRows(w, "started"); err != nil {
		return err
	}
	if _, err := k.cell(ctx, `fmt.Println("hello")`); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond) // until the compilers for the next cell have started
	if err := k.memoryRows(w, "after a cell"); err != nil {
		return err
	}
	time.Sleep(idleTime)
	if err := k.memoryRows(w, "idle"); err != nil {
		return err
	}
	return k.growth(ctx, w)
}

// growth measures how much the memory of the kernel and the worker process grows by many
// cells.
func (k *kernel) growth(ctx context.Context, w *tabwriter.Writer) error {
	const cells = 1000
	var rss [2]int
	code := "counter := 0" // before the first measurement: an idle kernel has released its code and constants
	for i := range rss {
		for n := 0; n < 1 || i == 1 && n < cells; n++ {
			if _, err := k.cell(ctx, code); err != nil {
				return err
			}
			code = "counter++"
		}
		for _, p := range k.processes() {
			if p.name != "compile" {
				rss[i] += p.rss
			}
		}
	}
	fmt.Fprintf(w, "growth by %d cells\t%.1f KB a cell\n", cells, float64(rss[1]-rss[0])/1024/cells)
	return nil
}

// memoryRows prints the memory of each process, and of all processes. The sum of the resident memory counts
// memory that several processes share once for each of them; the occupied memory counts it once.
func (k *kernel) memoryRows(w *tabwriter.Writer, when string) error {
	pages := make(map[filePage]bool)
	var rss, private int
	for _, p := range k.processes() {
		if p.err != nil {
			return p.err
		}
		mb := func(bytes int) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }
		fmt.Fprintf(w, "memory, %s: %s\t%s MB resident\tanonymous %s (%s of it variables), code %s, constants %s, other files %s\n", when, p.name, mb(p.rss),
			mb(p.anonymous), mb(p.variables), mb(p.code), mb(p.constants), mb(p.rss-p.anonymous-p.code-p.constants))
		rss += p.rss
		private += p.anonymous
		for page := range p.pages {
			pages[page] = true
		}
	}
	occupied := private + len(pages)*os.Getpagesize()
	fmt.Fprintf(w, "memory, %s: all\t%.1f MB\t%.1f MB as a sum of resident memory\n", when, float64(occupied)/(1<<20), float64(rss)/(1<<20))
	return nil
}

// processMemory is the resident memory of a process, in bytes.
type processMemory struct {
	name      string
	rss       int
	anonymous int // memory of no file: heap, stacks, changed pages of files
	variables int // the part of anonymous for which the executable has initial values
	code      int // pages of files, as the fields below
	constants int
	pages     map[filePage]bool // the pages of files
	err       error
}

// A filePage is a page of a file.
type filePage struct {
	device, inode string
	offset        uint64
}

// processes returns the memory of the kernel and of its children, the kernel first.
func (k *kernel) processes() []*processMemory {
	pid := strconv.Itoa(k.cmd.Process.Pid)
	pids := []string{pid}
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, t := range tasks {
		out, _ := os.ReadFile(t)
		pids = append(pids, strings.Fields(string(out))...)
	}
	var all []*processMemory
	for _, pid := range pids {
		m := &processMemory{pages: make(map[filePage]bool)}
		comm, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue // it has ended
		}
		m.name = strings.TrimSpace(string(comm))
		m.err = m.read(pid)
		all = append(all, m)
	}
	return all
}

// A mapping is a range of a process's addresses.
type mapping struct {
	start, end, offset         uint64
	permissions, device, inode string
	rss, anonymous             int
}

// read sums up the mappings of a process.
func (m *processMemory) read(pid string) error {
	mappings, err := readMappings("/proc/" + pid + "/smaps")
	if err != nil {
		return err
	}
	pagemap, err := os.Open("/proc/" + pid + "/pagemap")
	if err != nil {
		return err
	}
	defer pagemap.Close()
	for _, a := range mappings {
		m.rss += a.rss
		m.anonymous += a.anonymous
		if a.inode == "0" {
			continue
		}
		m.variables += a.anonymous
		switch {
		case strings.Contains(a.permissions, "x"):
			m.code += a.rss - a.anonymous
		case strings.HasPrefix(a.permissions, "r--p"):
			m.constants += a.rss - a.anonymous
		}
		if err := m.addPages(pagemap, a); err != nil {
			return err
		}
	}
	return nil
}

// addPages adds the resident pages of a file's mapping.
func (m *processMemory) addPages(pagemap io.ReaderAt, a mapping) error {
	size := uint64(os.Getpagesize())
	entries := make([]byte, (a.end-a.start)/size*8)
	if _, err := pagemap.ReadAt(entries, int64(a.start/size*8)); err != nil {
		return err
	}
	const present, ofFile = 1 << 63, 1 << 61 // see Documentation/admin-guide/mm/pagemap.rst of Linux
	for i := 0; i < len(entries); i += 8 {
		if e := binary.LittleEndian.Uint64(entries[i:]); e&present != 0 && e&ofFile != 0 {
			m.pages[filePage{a.device, a.inode, a.offset + uint64(i/8)*size}] = true
		}
	}
	return nil
}

// readMappings reads a file of the form of /proc/PID/smaps.
func readMappings(file string) ([]mapping, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 5 && strings.Contains(fields[0], "-") {
			a := mapping{permissions: fields[1], device: fields[3], inode: fields[4]}
			if _, err := fmt.Sscanf(fields[0]+" "+fields[2], "%x-%x %x", &a.start, &a.end, &a.offset); err != nil {
				return nil, fmt.Errorf("cannot read a line of %s: %w", file, err)
			}
			all = append(all, a)
			continue
		}
		if len(all) == 0 || len(fields) != 3 || !slices.Contains([]string{"Rss:", "Anonymous:"}, fields[0]) {
			continue
		}
		kb, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("cannot read a line of %s: %w", file, err)
		}
		if a := &all[len(all)-1]; fields[0] == "Rss:" {
			a.rss = kb << 10
		} else {
			a.anonymous = kb << 10
		}
	}
	return all, lines.Err()
}
