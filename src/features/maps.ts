/** The maps of one image. */
export interface Maps {
  /** (C, H, W). */
  readonly values: ArrayLike<number>;
  readonly maps: number;
  readonly height: number;
  readonly width: number;
}
