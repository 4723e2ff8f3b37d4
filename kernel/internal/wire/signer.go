package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// signaturesKept bounds the memory of a Signer: about 5 MB when full.
const signaturesKept = 1 << 16

type digest [sha256.Size]byte

// A Signer signs and verifies messages with one key, and rejects a message that it
// has verified before. It can be used concurrently. All channels of a kernel share one, so that a message recorded on
// one channel cannot be replayed on another.
type Signer struct {
	key []byte

	mu   sync.Mutex // guards the fields below
	seen map[digest]struct{}
	ring []digest // the last signaturesKept digests, oldest at next
	next int
}

// NewSigner returns a Signer for the key and signature scheme of a connection
// file. An empty key turns signing off, as the protocol defines.
func NewSigner(scheme, key string) (*Signer, error) {
	if key != "" && scheme != "hmac-sha256" {
		return nil, fmt.Errorf("wire: the signature scheme %q is not supported; use hmac-sha256", scheme)
	}
	return &Signer{key: []byte(key), seen: make(map[digest]struct{})}, nil
}

func (s *Signer) digest(parts [][]byte) digest {
	mac := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		mac.Write(p)
	}
	var d digest
	mac.Sum(d[:0])
	return d
}

func (s *Signer) sign(parts [][]byte) []byte {
	if len(s.key) == 0 {
		return []byte{}
	}
	d := s.digest(parts)
	return hex.AppendEncode(nil, d[:])
}

// verify accepts each valid signature once. If there is no key, it accepts all messages.
func (s *Signer) verify(signature []byte, parts [][]byte) error {
	if len(s.key) == 0 {
		return nil
	}
	want := s.digest(parts)
	var got digest
	if len(signature) != hex.EncodedLen(len(got)) {
		return ErrSignature
	}
	if _, err := hex.Decode(got[:], signature); err != nil {
		return ErrSignature
	}
	if !hmac.Equal(got[:], want[:]) {
		return ErrSignature
	}
	return s.remember(want)
}

func (s *Signer) remember(d digest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.seen[d]; ok {
		return ErrReplayed
	}
	s.seen[d] = struct{}{}
	if len(s.ring) < signaturesKept {
		s.ring = append(s.ring, d)
		return nil
	}
	delete(s.seen, s.ring[s.next])
	s.ring[s.next] = d
	s.next = (s.next + 1) % signaturesKept
	return nil
}
