package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// keepImages is how many images are kept: the image of the toolchain in use, images
	// with C code, and images of toolchains to which the user may return.
	keepImages = 4
	// staleBuild is the age at which an incomplete image is removed, since its build must have ended.
	staleBuild = time.Hour

	useFile = "use"
)

// markUsed marks the image as used now, and as in use while the returned file is open. If
// the cache is not writable, it returns nil. Images in such a cache are not removed.
func markUsed(dir string) *os.File {
	f, err := os.OpenFile(filepath.Join(dir, useFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(f.Name(), now, now)
	if unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil {
		f.Close()
		return nil
	}
	return f
}

// trim removes the least recently used images that are not in use, and incomplete images of
// builds that have ended. It ignores errors. The caller holds the lock on the folder.
func trim(images string) {
	entries, err := os.ReadDir(images)
	if err != nil {
		return
	}
	type image struct {
		dir  string
		used time.Time
	}
	var list []image
	for _, e := range entries {
		dir := filepath.Join(images, e.Name())
		st, err := e.Info()
		switch {
		case err != nil || !e.IsDir():
		case strings.HasPrefix(e.Name(), ".build-"):
			if time.Since(st.ModTime()) > staleBuild {
				_ = os.RemoveAll(dir)
			}
		default:
			used := st.ModTime()
			if st, err := os.Stat(filepath.Join(dir, useFile)); err == nil {
				used = st.ModTime()
			}
			list = append(list, image{dir, used})
		}
	}
	slices.SortFunc(list, func(a, b image) int { return b.used.Compare(a.used) })
	for _, m := range list[min(keepImages, len(list)):] {
		removeUnused(m.dir)
	}
	removeLinks(images)
}

func removeUnused(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, useFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.RemoveAll(dir)
	}
}
