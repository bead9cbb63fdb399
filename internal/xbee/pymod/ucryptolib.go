package pymod

import (
	"crypto/aes"
	"crypto/cipher"

	"github.com/skep-sim/skep/internal/vm"
)

// The modes, after PEP 272.
const (
	modeECB = 1
	modeCBC = 2
	modeCTR = 6
)

// An aes object is its type, a context and the mode, and in counter mode the
// counter's state besides. Upstream's extmod/moducryptolib.c has two libraries
// for the context; which one the module has is not known, and mbedtls's size
// is a choice. Of the context Skep uses the key, how long it is, and the
// initialisation vector.
const (
	aesKey      = 4
	aesKeySize  = aesKey + 32
	aesIV       = aesKey + mbedtlsAES // where struct mbedtls_aes_ctx_with_key has it
	aesMode     = aesIV + 16
	aesUse      = aesMode + 1 // in C the mode and this share one byte
	aesBytes    = aesMode + 4
	ctrOffset   = aesBytes
	ctrStream   = aesBytes + 4
	ctrBytes    = 20
	mbedtlsAES  = 280 // sizeof(mbedtls_aes_context) on a 32-bit machine
	aesBlock    = 16
	useNone     = 0
	useEncrypt  = 1
	useDecrypt  = 2
	longKeySize = 32
)

// Crypto declares module ucryptolib.
func Crypto(fw *vm.Firmware) {
	var t *vm.Type
	t = fw.NewType("aes", &vm.Type{New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		v.CheckArgs(args, kw, 2, 3)
		return newAES(v, t.Value(), args)
	}})
	for _, m := range []struct {
		name string
		use  byte
	}{{"encrypt", useEncrypt}, {"decrypt", useDecrypt}} {
		fw.Method(t, m.name, fw.FuncV(m.name, 2, 3, func(v *vm.VM, args []vm.Value) vm.Value {
			if v.TypeOf(args[0]) != t.Value() {
				v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
			}
			return processAES(v, args, m.use)
		}))
	}
	fw.Module("ucryptolib").Add("aes", t.Value()).
		Int("MODE_ECB", modeECB).Int("MODE_CBC", modeCBC).Int("MODE_CTR", modeCTR)
}

// newAES is aes(key, mode[, IV]).
func newAES(v *vm.VM, typ vm.Value, args []vm.Value) vm.Value {
	mode := v.Int(args[1])
	if mode != modeECB && mode != modeCBC && mode != modeCTR {
		v.RaiseMsg(vm.TypeValueError, "mode")
	}
	size := uint32(aesBytes)
	if mode == modeCTR {
		size += ctrBytes
	}
	o := v.Alloc(size)
	v.Mem[o/4] = typ
	b := v.Bytes[o : o+size]
	key := v.Buffer(args[0], false)
	if len(key) != aesBlock && len(key) != longKeySize {
		v.RaiseMsg(vm.TypeValueError, "key")
	}
	if len(args) > 2 && args[2] != vm.None {
		iv := v.Buffer(args[2], false)
		if len(iv) != aesBlock {
			v.RaiseMsg(vm.TypeValueError, "IV")
		}
		copy(b[aesIV:], iv)
	} else if mode != modeECB {
		v.RaiseMsg(vm.TypeValueError, "IV")
	}
	copy(b[aesKey:], key)
	b[aesKeySize], b[aesMode], b[aesUse] = byte(len(key)), byte(mode), useNone
	return vm.Value(o)
}

// processAES is encrypt(in_buf[, out_buf]) or decrypt. The two buffers may be the
// same.
func processAES(v *vm.VM, args []vm.Value, use byte) vm.Value {
	o := uint32(args[0])
	mode := v.Bytes[o+aesMode]
	in := v.Buffer(args[1], false)
	if mode != modeCTR && len(in)%aesBlock != 0 {
		v.RaiseMsg(vm.TypeValueError, "blksize % 16")
	}
	var out []byte
	var result *vm.Vstr
	if len(args) == 3 {
		out = v.Buffer(args[2], true)
		if len(out) < len(in) {
			v.RaiseMsg(vm.TypeValueError, "output too small")
		}
	} else {
		result = v.NewVstrLen(uint32(len(in)))
		out = result.Bytes()
	}
	ctx := v.Bytes[o:]
	switch ctx[aesUse] {
	case useNone:
		ctx[aesUse] = use
	case use:
	default:
		v.RaiseMsg(vm.TypeValueError, "can't encrypt & decrypt")
	}
	block, err := aes.NewCipher(ctx[aesKey : aesKey+uint32(ctx[aesKeySize])])
	if err != nil {
		panic("pymod: a key of this size passed before: " + err.Error())
	}
	in = append([]byte(nil), in...) // the buffers may overlap
	cryptBlocks(block, ctx, out[:len(in)], in, use == useEncrypt)
	if result == nil {
		return args[2]
	}
	return result.Object(vm.TypeBytes)
}

func cryptBlocks(block cipher.Block, ctx, out, in []byte, encrypt bool) {
	iv := ctx[aesIV : aesIV+aesBlock]
	switch ctx[aesMode] {
	case modeCTR:
		cryptCounter(block, ctx, out, in)
	case modeECB:
		for ; len(in) > 0; in, out = in[aesBlock:], out[aesBlock:] {
			if encrypt {
				block.Encrypt(out[:aesBlock], in[:aesBlock])
			} else {
				block.Decrypt(out[:aesBlock], in[:aesBlock])
			}
		}
	case modeCBC:
		if len(in) == 0 {
			return
		}
		if encrypt {
			cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, in)
			copy(iv, out[len(out)-aesBlock:])
			return
		}
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, in)
		copy(iv, in[len(in)-aesBlock:])
	}
}

// cryptCounter goes on where the last call stopped, in the middle of a block
// perhaps.
func cryptCounter(block cipher.Block, ctx, out, in []byte) {
	counter := ctx[aesIV : aesIV+aesBlock]
	stream := ctx[ctrStream : ctrStream+aesBlock]
	n := ctx[ctrOffset]
	for i := range in {
		if n == 0 {
			block.Encrypt(stream, counter)
			for j := aesBlock - 1; j >= 0; j-- {
				if counter[j]++; counter[j] != 0 {
					break
				}
			}
		}
		out[i] = in[i] ^ stream[n]
		n = (n + 1) % aesBlock
	}
	ctx[ctrOffset] = n
}
