"""Sets in the forms that others read: folders of pictures, published datasets' layouts, WebDataset, Parquet."""
