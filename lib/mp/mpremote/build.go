package mpremote

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Build returns a hash that two processes share if functions can be sent between them: the
// hash of the program's file. A process that loads code while it runs, such as the worker
// process of a notebook, shares its hash with no other process, since only its children have
// the same code. The first call reads the program's file, which takes about ten milliseconds.
func Build() ([sha256.Size]byte, error) { return build() }

var build = sync.OnceValues(func() (sum [sha256.Size]byte, err error) {
	h, err := mphost.Current()
	if err != nil {
		return sum, err
	}
	hash := sha256.New()
	path, err := program.Executable()
	if err != nil {
		return sum, err
	}
	f, err := os.Open(path)
	if err != nil {
		return sum, fmt.Errorf("mp: cannot read the executable of this program: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(hash, f); err != nil {
		return sum, fmt.Errorf("mp: cannot read the executable of this program: %w", err)
	}
	if !mphost.IsProgram(h) {
		nonce := make([]byte, 16)
		_, _ = rand.Read(nonce) // never fails
		hash.Write(nonce)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
})
