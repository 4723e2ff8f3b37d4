package modules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func allExist(list []listedPackage) bool {
	for _, p := range list {
		if p.Export == "" {
			continue
		}
		if _, err := os.Stat(p.Export); err != nil {
			return false
		}
	}
	return len(list) > 0
}

// cacheKey returns the key of the cached answer for an import path, a hash that includes
// the module files.
func (m *Modules) cacheKey(path string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, m.img.Dir, path)
	found := false
	for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum"} {
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		found = found || err == nil
		fmt.Fprintln(h, name, len(b))
		h.Write(b)
	}
	if !found {
		return "", errors.New("the notebook's folder and the folders above it have no go.mod")
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// writeCache stores an answer for other sessions, atomically. It ignores errors: the go
// command then runs again.
func (m *Modules) writeCache(file string, b []byte) {
	if os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return
	}
	_, err = f.Write(b)
	if f.Close() != nil || err != nil || os.Rename(f.Name(), file) != nil {
		_ = os.Remove(f.Name())
	}
}

// cachedAnswer returns the cached answer for a path and the current module files.
func (m *Modules) cachedAnswer(path string) ([]listedPackage, bool) {
	key, err := m.cacheKey(path)
	if err != nil {
		return nil, false
	}
	b, err := os.ReadFile(m.answerFile(key))
	var list []listedPackage
	ok := err == nil && json.Unmarshal(b, &list) == nil && allExist(list)
	return list, ok
}

// cacheAnswer caches the answer of the go command for a path, unless it contains a
// local package.
func (m *Modules) cacheAnswer(path string, list []listedPackage) {
	key, keyErr := m.cacheKey(path)
	if b, err := json.Marshal(list); err == nil && keyErr == nil && !slices.ContainsFunc(list, isLocal) {
		m.writeCache(m.answerFile(key), b)
	}
}

func (m *Modules) answerFile(key string) string {
	return filepath.Join(m.cache, "packages", key+".json")
}
