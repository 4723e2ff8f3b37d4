package image

import (
	"fmt"
	"os"
	"path"

	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/racereport"
)

// raceCells returns further cells, which test a worker process with the race detector. One has races on a variable of a
// cell and on an element of it. The other one has no race, but the detector would report one if it did not know the
// mutex and the wait group in a variable.
func raceCells() []checkCell {
	return []checkCell{
		{name: "race", how: control.Returned, race: "race.go:9", source: `
import "sync"
var counter int
var list = []int{1}
func Check() {
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { counter++; list[0]++ })
	}
	group.Wait()
}
`},
		{name: "lock", how: control.Returned, source: `
import "sync"
var (
	group sync.WaitGroup
	mutex sync.Mutex
	total int
)
func Check() {
	for range 8 {
		group.Go(func() { mutex.Lock(); total++; mutex.Unlock() })
	}
	group.Wait()
	total++
}
`},
	}
}

// checkRaces compares the reports of the race detector with the races of the cells.
func checkRaces(dir string, cells []checkCell) error {
	folder := racereport.Folder(dir)
	defer os.RemoveAll(folder)
	got := map[string]int{}
	var reader racereport.Reader
	for _, r := range reader.Read(folder) {
		for _, access := range []racereport.Stack{r.Accesses[0], r.Accesses[1]} {
			if len(access.Calls) > 0 {
				at := access.Calls[0]
				got[fmt.Sprintf("%s:%d", path.Base(at.File), at.Line)]++
			}
		}
	}
	for _, c := range cells {
		if c.race != "" && got[c.race] < 4 {
			return fmt.Errorf("the race detector does not report all races of the check cells, only %v", got)
		}
		delete(got, c.race)
	}
	if len(got) > 0 {
		return fmt.Errorf("the race detector reports races of check cells that have none: %v", got)
	}
	return nil
}
