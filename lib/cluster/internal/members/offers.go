package members

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp/mpsource"
)

// A Build identifies a build of a program.
type Build = [sha256.Size]byte

// Offers has the hashes of the functions of other builds. Its methods may be called
// concurrently.
type Offers struct {
	mu      sync.Mutex
	byBuild map[Build]*offer
}

// An offer has the hashes of one build, or a nil table while they are not known.
type offer struct {
	table *mpsource.Table
	tried time.Time
}

// retryInterval is how long to wait after a failed attempt to read the hashes of a build.
const retryInterval = 2 * time.Second

// Of returns the hashes of a build, or nil if they are not known yet. In that case it calls
// read, which must begin to read them, unless it called read less than retryInterval ago.
func (s *Offers) Of(b Build, read func()) *mpsource.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.byBuild[b]
	if o == nil {
		if len(s.byBuild) >= Max {
			return nil
		}
		if s.byBuild == nil {
			s.byBuild = make(map[Build]*offer)
		}
		o = &offer{}
		s.byBuild[b] = o
	}
	if o.table == nil && time.Since(o.tried) > retryInterval {
		o.tried = time.Now()
		read()
	}
	return o.table
}

// Set records the hashes of a build for which Of was called.
func (s *Offers) Set(b Build, t *mpsource.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.byBuild[b]; o != nil {
		o.table = t
	}
}
