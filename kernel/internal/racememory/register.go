// Package racememory tells the race detector of this process about the memory of variables that are loaded at run time.
package racememory

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// granularity is the alignment of the detector's own mappings.
const granularity = 64 << 10

// Register makes the detector check all memory from the image's variables up to the address to. If the image has no
// detector, it does nothing.
//
// The detector checks the heap and one range of variables. It ignores accesses to other addresses, and
// synchronization through them. If it ignored a mutex in a variable, it would report races that do not exist.
// Register extends the range and maps shadow memory for it. runtime.racemapshadow cannot do that: once it has mapped
// the shadow of the heap, it maps only the shadow of addresses after the heap. The range includes the code and the
// constants between the image's variables and those of cells, so their shadow is mapped, too. The system allocates
// only the pages that are used.
func Register(h *goruntime.Runtime, to uintptr) error {
	end, err := goruntime.Var[uintptr](h, "runtime.racedataend")
	if err != nil {
		return nil // only a runtime with the detector has the variable
	}
	if to <= *end {
		return fmt.Errorf("the race detector cannot check the variables of cells, which end at the address %#x, below the detector's range", to)
	}
	from := roundUp(*end, 8<<10) // the runtime has registered whole pages
	shadow := roundUp(from*shadowFactor+shadowBase, granularity)
	if _, err := platform.Reserve(shadow, int(to*shadowFactor+shadowBase-shadow)); err != nil {
		return fmt.Errorf("cannot map the shadow memory of the race detector for the variables of cells: %w", err)
	}
	meta := roundUp(from/metaDivisor|metaBase, granularity)
	if _, err := platform.Reserve(meta, int(to/metaDivisor|metaBase)-int(meta)); err != nil {
		return fmt.Errorf("cannot map the metadata of the race detector for the variables of cells: %w", err)
	}
	*end = to
	return nil
}

func roundUp(n, to uintptr) uintptr { return (n + to - 1) &^ (to - 1) }
