/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_unit - what minisign 0.11 itself wrote: two keys, and signatures of one file
 *
 * minisign -G -W; minisign -S -W [-l] -m notes.json
 */
#pragma once
#include "sign/minisign.h"

/* clang-format off */
#define NOTES \
	"{\"stockade\": 1, \"name\": \"notes\", \"command\": [\"/usr/bin/true\"]}\n"
#define KEY_A \
	"untrusted comment: minisign public key A8807C61E8668E1D\n" \
	"RWQdjmboYXyAqOVydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd/x\n"
#define KEY_B \
	"untrusted comment: minisign public key 4F31A834AE578049\n" \
	"RWRJgFeuNKgxT2Lr7ugRitjF7bcNfYYb8lyU1vU0sqQJgc91fhZGU1G0\n"
#define SECRET_A \
	"untrusted comment: minisign encrypted secret key\n" \
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHY5m6GF8gKg4vYY/Ie55YlX0OjNdS/x4n9fIYTuMjwUrEOoJWoQRN+VydhyJff74WN0F0NepmMMstU7GyG39J0wDebYRvd/xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define HASHED_A \
	"untrusted comment: signature from minisign secret key\n" \
	"RUQdjmboYXyAqP5uYc1zS34il2BIKdDNxWrGfBbWBw3p2MvxwoBg9cLEKSSO27OzHzT2p6jayDwcr7OZ7ARRZPC1/5Ld0SJYoAE=\n" \
	"trusted comment: timestamp:1790000000\tfile:notes.json\thashed\n" \
	"wxhb4SyLrKvZmr4AmxqcJoNrokQdoiB8Bw/meFSo2ruaTtw9XCxBdwYOQomzkWHfLQ+rWWOkunx/KIaZa9G4DQ==\n"
#define LEGACY_A \
	"untrusted comment: signature from minisign secret key\n" \
	"RWQdjmboYXyAqJvSqyv2Q46BSI+VNvZam9Io08X7VQFY0acDTb5ilE4oC16qrcT6dS6aU8pLPt9copSEP7cf9ezErjLs9q8fqgA=\n" \
	"trusted comment: timestamp:1790000001\tfile:notes.json\n" \
	"q+C50TUJUs60mPl7IGsq3f1LBAw4WO210oQoCambmAGTJHFP5TG05Biw6kr3u1yLoMA3Y16Zn2cBbaM4V+ntBw==\n"
#define HASHED_B \
	"untrusted comment: signature from minisign secret key\n" \
	"RURJgFeuNKgxT6wwKwvCkTpovDZPi9dFdkBCdeaXBUMEiQU1II+x9njWEtX+4yuNBLR1YbFamEtLAzrd2PKQ7i9QX9WUvOH9bgI=\n" \
	"trusted comment: timestamp:1795309305\tfile:notes.json\thashed\n" \
	"AlsxlAl4I1p78rVWsvPLl9Hj4HyDX3swKDkVrHw9MWpDeU5NSKKF8npKXKU27x4rMe1Au60QIKkVHm6Y7JvvAA==\n"
#define ID_A "A8807C61E8668E1D"
#define ID_B "4F31A834AE578049"
/* clang-format on */
