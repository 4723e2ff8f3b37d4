package racereport

import (
	"os"
	"path/filepath"
	"slices"
)

// prefix is the beginning of the names of the files that the detector writes. Each process adds its process ID.
const prefix = "race"

// Folder returns the path of the folder for reports in dir.
func Folder(dir string) string { return filepath.Join(dir, "races") }

// Variable returns the environment variable that makes the detector write its reports to files in Folder(dir). A
// process that has reported races keeps its exit code and ends without a delay. The user's GORACE can change the size
// of the history, but not the other options that Variable sets. The default here is the longest history. With Go's
// default, the detector misses a race if the first goroutine has ended after a long loop when the second begins.
// Without suppress_equal_stacks=0, a process would report the same two stacks only once, and a second run of a cell
// with a race would look correct.
func Variable(dir string) string {
	return "GORACE=history_size=7 " + os.Getenv("GORACE") + " log_path=" + filepath.Join(Folder(dir), prefix) + " suppress_equal_stacks=0 exitcode=0 atexit_sleep_ms=0 halt_on_error=0"
}

// A Reader reads reports while processes write them. The zero Reader is ready to use.
type Reader struct {
	read map[string]int // bytes that were read, by file
}

// Read returns the complete reports in the files of a folder that it has not returned before.
func (r *Reader) Read(folder string) []Report {
	if r.read == nil {
		r.read = map[string]int{}
	}
	names, _ := filepath.Glob(filepath.Join(folder, prefix+".*")) // the pattern is valid
	slices.Sort(names)
	var all []Report
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || len(text) < r.read[name] {
			continue
		}
		reports, n := Parse(string(text[r.read[name]:]))
		r.read[name] += n
		all = append(all, reports...)
	}
	return all
}
