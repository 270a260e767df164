// @ts-check
// A photo of a note: seen before it is sent, and no larger than it will be kept.

/** The server keeps no more of a photo than this (notes.py), so no more goes over the line. */
const LONGEST_SIDE = 1600;
const QUALITY = 0.85;

/**
 * Start on one of the fields for a photo (`data-photo`). A chosen photo is shown before it is sent, and made as small as
 * it will be kept; of the two ways to choose one, the last counts.
 * @param {HTMLElement} field
 */
export function start(field) {
  if (!(field instanceof HTMLInputElement)) return;
  field.addEventListener("change", () => {
    const form = field.form;
    const shown = form?.querySelector("[data-photo-shown]");
    const file = field.files?.[0];
    if (!form || !(shown instanceof HTMLImageElement) || !file) return;
    for (const other of form.querySelectorAll("[data-photo]")) {
      if (other instanceof HTMLInputElement && other !== field) other.value = "";
    }
    if (shown.src.startsWith("blob:")) URL.revokeObjectURL(shown.src);
    shown.src = URL.createObjectURL(file);
    shown.hidden = false;
    void sendLess(field, file);
  });
}

/** Put the smaller photo into the field. Whoever saves before it is ready, or whose browser cannot, sends the whole.
 * @param {HTMLInputElement} input @param {File} file */
async function sendLess(input, file) {
  try {
    const smaller = await shrunk(file);
    if (!smaller || input.files?.[0] !== file) return;
    const files = new DataTransfer();
    files.items.add(smaller);
    input.files = files.files;
  } catch {
    // not a picture that this browser reads: the server says so
  }
}

/** @param {File} file @returns {Promise<File | null>} upright, without what the camera wrote beside it */
async function shrunk(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const share = LONGEST_SIDE / Math.max(picture.width, picture.height);
  if (share >= 1) return null;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * share);
  canvas.height = Math.round(picture.height * share);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  /** @type {Blob | null} */
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob || blob.size >= file.size) return null;
  return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
}
